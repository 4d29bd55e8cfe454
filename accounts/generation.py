"""The generation: what makes a committed change hold from the next call on.

Whoever changes something that a decision depends on calls `changed(organization)` in
the same transaction. That leaves an outbox row; after the commit the organization gets
a new random generation in Valkey, and every snapshot that a gateway holds of it is
void. Where Valkey does not answer, the row waits and the task
`accounts.apply_generations` tries again every two seconds.

Repeating sets yet another generation, never the same one: a value that comes back
would make snapshots valid again that were taken before a later change.
"""

from __future__ import annotations

import functools
import logging
import secrets
from datetime import timedelta

import redis
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.keys import generation_key
from accounts.models import GenerationChange, Organization
from accounts.valkey import client

log = logging.getLogger(__name__)

GENERATION_BYTES = 16
REPLICA_MILLISECONDS = 500
KEPT = timedelta(days=1)


class NotReplicated(Exception):
    """A replica did not acknowledge in time; promoted, it would lack the change."""


def changed(organization: Organization) -> None:
    """Call it in the transaction of the write; returns before anything is sent."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "changed() belongs into the transaction of the change it announces"
        )
    GenerationChange.objects.create(organization=organization)
    transaction.on_commit(functools.partial(apply, organization))


def in_force(organization: Organization) -> bool:
    """False while a committed change is not yet known to hold for every call."""
    return not _waiting().filter(organization=organization).exists()


def apply(organization: Organization) -> bool:
    """Puts the committed changes in force; False when Valkey did not take them."""
    changes = list(
        _waiting().filter(organization=organization).values_list("pk", flat=True)
    )
    if not changes:
        return True
    try:
        _set_anew(organization)
    except (redis.RedisError, NotReplicated) as error:
        log.warning("generation of %s waits: %r", organization.pk, error)
        return False
    # Only those read before the generation was set: a later one needs its own.
    _waiting().filter(pk__in=changes).update(applied_at=timezone.now())
    return True


def apply_all() -> None:
    """Repeats what is not done; stops at the first failure, as all share a Valkey."""
    waiting = _waiting().values("organization")
    for organization in Organization.objects.filter(pk__in=waiting):
        if not apply(organization):
            return


def forget_applied() -> int:
    """Removes outbox rows that are long done; says how many."""
    done = GenerationChange.objects.filter(applied_at__lt=timezone.now() - KEPT)
    return done.delete()[0]


def _waiting() -> QuerySet[GenerationChange]:
    return GenerationChange.objects.filter(applied_at=None)


def _set_anew(organization: Organization) -> None:
    key = generation_key(organization.shard, organization.pk)
    replicas = client().info("replication")["connected_slaves"]
    with client().pipeline(transaction=False) as pipe:
        pipe.set(key, secrets.token_bytes(GENERATION_BYTES))
        # WAIT counts the writes of its own connection: it must share the SET's.
        pipe.wait(replicas, REPLICA_MILLISECONDS)
        _, acknowledged = pipe.execute()
    if acknowledged < replicas:
        raise NotReplicated(f"{acknowledged} of {replicas} replicas")
