"""Sending the mail that is due; one connection to the mail server a turn."""

from __future__ import annotations

import logging
import time
from smtplib import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)
from typing import Any

from django.core.mail import get_connection

from approvals import mailing, notices
from approvals.mail_words import line
from approvals.notices import Letter

log = logging.getLogger(__name__)

# A turn ends after so long, that other tasks have theirs; the next begins in 2 s.
TURN_SECONDS = 10.0
# The server has answered, and said no to this mail.
REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)


class Unreachable(Exception):
    """The mail server did not answer, or not as one."""


def deliver_due() -> int:
    """Sends until nothing is due, the turn is over, or the mail server does not answer;
    how many mails were sent. Any number of workers may be at it."""
    over, count = time.monotonic() + TURN_SECONDS, 0
    connection = get_connection()
    try:
        while time.monotonic() < over and (letter := notices.take()):
            count += _send(letter, connection)
    except Unreachable:
        pass  # the row says why; those after it wait for the next turn
    finally:
        connection.close()
    return count


def _send(letter: Letter, connection: Any) -> bool:
    """False where it failed, which its rows say; it is tried again later."""
    try:
        connection.open()
        connection.send_messages([mailing.message(letter)])
    except REFUSED as error:
        _failed(letter, error)
        return False
    except (SMTPException, OSError) as error:
        _failed(letter, error)
        raise Unreachable from error
    except Exception as error:
        # One that cannot be written must not keep the others from going out.
        log.exception("mail %s could not be written", letter.id)
        _failed(letter, error)
        return False
    notices.sent(letter)
    return True


def _failed(letter: Letter, error: Exception) -> None:
    log.warning("mail %s was not sent: %r", letter.id, error)
    notices.failed(letter, f"{type(error).__name__}: {line(error)}")
