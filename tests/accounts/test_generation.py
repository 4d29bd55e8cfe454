"""A committed change voids snapshots, survives a dead Valkey, and reaches replicas."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.db import transaction

from accounts import generation
from accounts.keys import generation_key
from accounts.models import GenerationChange, Organization
from accounts.tasks import apply_generations
from accounts.valkey import client
from config import embedded

pytestmark = pytest.mark.django_db(transaction=True)


def value_of(link, organization: Organization):
    return link.get(generation_key(organization.shard, organization.pk))


def test_a_commit_sets_a_new_random_generation(valkey, acme, other):
    with transaction.atomic():
        generation.changed(acme)
        assert value_of(valkey, acme) is None
        assert not generation.in_force(acme)
    first = value_of(valkey, acme)
    assert first is not None and len(first) == 16
    assert generation.in_force(acme)
    with transaction.atomic():
        generation.changed(acme)
    assert value_of(valkey, acme) not in (None, first)
    assert value_of(valkey, other) is None


def test_many_changes_of_one_transaction_are_one_generation(valkey, acme, monkeypatch):
    # Not by the server's own counts: those of other workers are among them.
    given: list[Organization] = []
    give = generation._set_anew

    def counted(organization: Organization) -> None:
        given.append(organization)
        give(organization)

    monkeypatch.setattr(generation, "_set_anew", counted)
    with transaction.atomic():
        for _ in range(5):
            generation.changed(acme)
    assert given == [acme]
    assert generation.in_force(acme) and value_of(valkey, acme) is not None


def test_a_rollback_leaves_nothing(valkey, acme):
    class Refused(Exception):
        pass

    with pytest.raises(Refused), transaction.atomic():
        generation.changed(acme)
        raise Refused
    assert value_of(valkey, acme) is None
    assert not GenerationChange.objects.exists()


def test_outside_a_transaction_it_refuses(valkey, acme):
    with pytest.raises(transaction.TransactionManagementError):
        generation.changed(acme)


@pytest.fixture
def no_valkey(settings, tmp_path: Path) -> Iterator[None]:
    """Valkey is not there; leaving the test it is back."""
    client.cache_clear()
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    yield
    client.cache_clear()


@pytest.fixture
def silent_valkey(settings) -> Iterator[None]:
    """Something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client.cache_clear()
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        yield
        client.cache_clear()


def commit_a_change(organization: Organization) -> float:
    begun = time.monotonic()
    with transaction.atomic():
        generation.changed(organization)
    return time.monotonic() - begun


def test_without_valkey_the_row_stays_until_the_task_succeeds(
    valkey, acme, no_valkey, settings
):
    assert commit_a_change(acme) < 2
    assert not generation.in_force(acme)
    apply_generations()
    assert not generation.in_force(acme)
    settings.REDIS_URL = os.environ["REDIS_URL"]
    client.cache_clear()
    apply_generations()
    assert generation.in_force(acme)
    assert value_of(valkey, acme) is not None


def test_a_silent_valkey_costs_bounded_time(acme, silent_valkey):
    assert commit_a_change(acme) < 3
    assert not generation.in_force(acme)


def test_what_commits_while_another_is_applied_is_not_taken_as_done(
    valkey, acme, monkeypatch
):
    """A row that appears after the generation was set waits for its own."""
    set_anew = generation._set_anew

    def and_then_another(organization: Organization) -> None:
        set_anew(organization)
        GenerationChange.objects.create(organization=organization)

    monkeypatch.setattr(generation, "_set_anew", and_then_another)
    commit_a_change(acme)
    assert not generation.in_force(acme)
    monkeypatch.undo()
    apply_generations()
    assert generation.in_force(acme)


def test_applying_again_changes_nothing(valkey, acme):
    commit_a_change(acme)
    before = value_of(valkey, acme)
    apply_generations()
    assert value_of(valkey, acme) == before


def test_rows_long_applied_are_forgotten(valkey, acme):
    commit_a_change(acme)
    commit_a_change(acme)
    old = GenerationChange.objects.earliest("pk")
    old.applied_at = old.created_at - 2 * generation.KEPT
    old.save(update_fields=["applied_at"])
    apply_generations()
    assert list(GenerationChange.objects.values_list("pk", flat=True)) == [old.pk + 1]


# Replicas


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def started(folder: Path, port: int, *options: str) -> Iterator[int]:
    """A Valkey on a port of its own; its process id."""
    folder.mkdir(mode=0o700)
    plan = embedded.plan_valkey(folder)
    argv = [*plan.argv, "--port", str(port), "--bind", "127.0.0.1", *options]
    with (folder / "log").open("ab") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output)
    try:
        assert within(10, plan.ready)
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not (reached := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return reached


@pytest.fixture
def pair(tmp_path: Path, settings) -> Iterator[tuple[redis.Redis, redis.Redis, int]]:
    """A primary and its replica, and the replica's process id."""
    ports = free_port(), free_port()
    follow = ("--replicaof", f"127.0.0.1 {ports[0]}")
    with (
        started(tmp_path / "a", ports[0], "--repl-diskless-sync-delay", "0"),
        started(tmp_path / "b", ports[1], *follow) as replica,
        redis.Redis(port=ports[0]) as first,
        redis.Redis(port=ports[1]) as second,
    ):
        assert within(10, lambda: link_status(second) == "up")
        client.cache_clear()
        settings.REDIS_URL = f"redis://127.0.0.1:{ports[0]}/0"
        yield first, second, replica
        client.cache_clear()


def link_status(replica):
    return replica.info("replication")["master_link_status"]


def test_in_force_means_that_the_replica_has_it_too(acme, pair):
    primary, replica, _ = pair
    commit_a_change(acme)
    assert generation.in_force(acme)
    assert value_of(replica, acme) == value_of(primary, acme) is not None


def test_a_replica_that_does_not_acknowledge_keeps_the_change_waiting(acme, pair):

    primary, replica, pid = pair
    os.kill(pid, signal.SIGSTOP)
    try:
        assert commit_a_change(acme) < 3
        assert not generation.in_force(acme)
    finally:
        os.kill(pid, signal.SIGCONT)
    apply_generations()
    assert generation.in_force(acme)
    assert value_of(replica, acme) == value_of(primary, acme)
