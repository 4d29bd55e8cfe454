"""One run of `apply`: what it has in hand, what it changed, what it must refuse."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from accounts.models import Organization, User
from policies.positions import Path


class Refused(Exception):
    """The run ends without a change; `path` is the place in the file."""

    def __init__(self, path: Path, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(message)


@dataclass
class Run:
    """`changes` are sentences; `added` names of servers that were not there before;
    `tokens` those minted now, by label; `invited` people who are sent the mail to set
    a password."""

    organization: Organization
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    added: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=dict)
    invited: list[User] = field(default_factory=list)


def refused(path: Path, error: ValidationError) -> Refused:
    """The same text as on the page; its field becomes the end of the path."""
    if not hasattr(error, "error_dict"):
        return Refused(path, error.messages[0])
    name, messages = next(iter(error.message_dict.items()))
    return Refused(path if name == "__all__" else (*path, name), messages[0])
