"""Mail of an installation without a mail server: files, and a page that shows them.

Every mail is one file in `EMAIL_FILE_PATH`, readable by its owner only, named by time
and sixteen random digits. The pages need the secret link that is printed at start, and
answer only where everything is local: anybody who reads a mailbox can take over every
account in it.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

NAME = re.compile(r"[0-9]{20}-[0-9a-f]{16}")
SHOWN = 100


class FileMailbox(BaseEmailBackend):
    """Django's mail backend; a mail that cannot be written raises."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            keep(message.message().as_bytes())
        return len(email_messages)


def folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)


def keep(raw: bytes) -> str:
    """Writes one mail, whole or not at all; its name."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(8)}"
    half = folder() / f".{name}"
    with os.fdopen(
        os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
    ) as f:
        f.write(raw)
    half.rename(folder() / f"{name}.eml")
    return name


@dataclass(frozen=True)
class Mail:
    name: str
    message: Parsed

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(int(self.name[:20]) / 1e9, UTC)

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def recipient(self) -> str:
        return self.header("To")

    @property
    def sender(self) -> str:
        return self.header("From")

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""


def newest(count: int = SHOWN) -> list[Mail]:
    if not folder().exists():
        return []
    names = sorted((path.stem for path in folder().glob("*.eml")), reverse=True)
    found = (read(name) for name in names[:count])
    return [mail for mail in found if mail]


def read(name: str) -> Mail | None:
    if not NAME.fullmatch(name):
        return None
    try:
        raw = (folder() / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        return None
    return Mail(name, message_from_bytes(raw, policy=policy.default))
