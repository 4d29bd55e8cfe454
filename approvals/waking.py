"""Telling all gateway processes that an approval has changed.

Best effort: whoever waits looks at the row every few seconds as well, and the row
decides.
"""

from __future__ import annotations

import functools
import logging
from uuid import UUID

import redis
from django.db import transaction

from accounts.valkey import client

log = logging.getLogger(__name__)

# The channel; a message is the approval's id in hex.
WAKE = "approvals"


def announce(approval_id: UUID) -> None:
    """Call it in the transaction of the change; it is said after the commit."""
    transaction.on_commit(functools.partial(_publish, approval_id))


def _publish(approval_id: UUID) -> None:
    try:
        client().publish(WAKE, approval_id.hex)
    except redis.RedisError as error:
        log.warning("nobody was woken for approval %s: %r", approval_id, error)
