"""A Valkey for the server of that name: the embedded one, here over TCP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config.embedded import plan_valkey
from tests.proof.processes import answers, running
from tests.run.made import free_port


@contextmanager
def storing(work: Path) -> Iterator[int]:
    """Its port."""
    port, folder = free_port(), work / "store"
    folder.mkdir()
    plan = plan_valkey(folder)
    # The last of an option given twice counts.
    argv = [*plan.argv, "--bind", "127.0.0.1", "--port", str(port)]
    plan.settle()
    here = replace(plan, argv=argv, ready=lambda: answers(port))
    with running(here, work / "store.log"):
        yield port
