"""What a package is kept from. Each of these fails when its protection is taken out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.scanning.cell import USER_IDS, can_leave_network, cell, has_login
from catalog.scanning.failures import ScanFailed
from catalog.scanning.installing import usable_python
from catalog.scanning.kept import MIB, Limits, Who, kept_code
from tests.catalog.scanning.cells import asked, asked_within, sleeping
from tests.run.made import await_true

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root may change the user")
LIMITS = Limits(seconds=20)
PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def listening() -> Iterator[str]:
    """The port of something on this machine's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def failure(limits: Limits, kind: str, *arguments: str) -> str:
    with pytest.raises(ScanFailed) as caught:
        asked_within(limits, kind, *arguments)
    return caught.value.why


SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
    "DATABASE_URL": "postgresql://x:sesame@db/x",
    "GITHUB_TOKEN": "ghp_sesame",
    "SECRET_KEY": "sesame",
    "PIP_INDEX_URL": "https://somebody:sesame@example.com/simple",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "SOMETHING_ELSE": "sesame",
}


def test_credentials_of_the_environment_are_not_seen(
    monkeypatch: pytest.MonkeyPatch, listening: str
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    told = asked("who", listening, environment={"API_KEY": "x"})
    seen = dict(each.split("=", 1) for each in told.told("env"))
    assert seen.keys() & SECRETS.keys() == set()
    assert not any("sesame" in value for value in seen.values())
    assert seen["API_KEY"] == "x"
    with cell() as made:
        installing = made.environment(installing=True)
    assert not any("sesame" in value for value in installing.values())


def test_registries_without_login_are_passed_to_pip_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.com/simple")
    with cell() as made:
        assert "PIP_INDEX_URL" in made.environment(installing=True)
        assert "PIP_INDEX_URL" not in made.environment()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("https://example.com/simple", False),
        ("https://user@example.com/", True),
        ("https://a/ https://u:p@b/", True),
        ("/etc/ssl/certs", False),
        ("https://[broken", True),
    ],
)
def test_logins_in_addresses(value: str, found: bool) -> None:
    assert has_login(value) == found


def test_its_home_is_a_fresh_folder_that_is_gone_afterwards(listening: str) -> None:
    told = asked("who", listening, files={".tool/config": "[default]"})
    [home] = told.told("home")
    assert home == str(told.cell.home) != os.environ["HOME"]
    assert not told.cell.folder.exists()


def test_files_of_a_recipe_lie_in_its_home() -> None:
    with cell() as made:
        made.write(".tool/deep/config", "[default]")
        path = made.home / ".tool" / "deep" / "config"
        assert path.read_text() == "[default]"
        if made.uid is not None:
            assert {p.stat().st_uid for p in (path, *path.parents[:2])} == {made.uid}


def test_its_folder_takes_the_place_of_a_word(listening: str) -> None:
    told = asked("who", listening, "{home}/x")
    assert told.told("arg") == [listening, f"{told.cell.home}/x"]


@as_root
def test_root_gives_each_package_a_user_of_its_own(listening: str) -> None:
    own = os.getgroups()
    os.setgroups([*own, 4])  # of whoever began the session
    try:
        told = asked("who", listening)
    finally:
        os.setgroups(own)
    [uid] = set(told.told("uid"))
    assert int(uid) in USER_IDS
    assert told.told("groups") == ["[]"]
    assert "unprivileged user" in told.cell.words
    with cell() as one, cell() as other:
        assert one.uid != other.uid


@as_root
def test_files_of_others_are_closed_to_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame")
    secret.chmod(0o600)
    with cell() as made:
        assert kept_code(["/bin/cat", str(secret)], made.who(), LIMITS) == 1
    assert kept_code(["/bin/cat", str(secret)], Who(), LIMITS) == 0


@as_root
def test_the_machine_and_its_network_are_out_of_reach(listening: str) -> None:
    if not can_leave_network():
        pytest.skip("this container may not make networks")
    told = asked("who", listening)
    assert told.told("network") == ["False"]
    assert "without network" in told.cell.words


def test_no_program_raises_its_rights(listening: str) -> None:
    assert asked("who", listening).told("raised") == ["1"]


def test_otherwise_it_runs_as_the_caller_and_says_so(
    monkeypatch: pytest.MonkeyPatch, listening: str
) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = asked("who", listening)
    assert set(told.told("uid")) == {str(mine)}
    assert told.told("home") == [str(told.cell.home)]
    assert told.cell.words.startswith("as the caller, not as root")
    assert "network open" in told.cell.words


def test_memory() -> None:
    begun = time.monotonic()
    small = replace(LIMITS, memory=256 * MIB)
    assert failure(small, "hog") == "It passed its limit of memory and was ended."
    assert time.monotonic() - begun < 15


def test_addresses_that_are_only_reserved_are_no_memory() -> None:
    small = replace(LIMITS, memory=256 * MIB)
    listed = asked_within(small, "reserve")
    assert [each["name"] for each in listed.items["tools"]] == ["reserved"]


def test_one_process_cannot_outrun_the_looks_at_it() -> None:
    """RLIMIT_DATA, where the sum of all is looked at too late."""
    tiny = [usable_python(None), "-c", "b'x' * (400 << 20)"]
    assert kept_code(tiny, Who(), replace(LIMITS, memory=100 * MIB)) not in (0, None)
    assert kept_code(tiny, Who(), LIMITS) == 0


def test_processes() -> None:
    few = replace(LIMITS, processes=12, threads=200)
    assert failure(few, "bomb") == "It passed its limit of processes and was ended."
    assert sleeping("301") == []


@as_root
def test_the_kernel_bounds_a_bomb_between_two_looks() -> None:
    """The user's own bound of processes holds without anybody looking."""
    many = "for i in $(seq 300); do sleep 302 & done; wait"
    with cell() as made:
        limits = replace(LIMITS, processes=10_000, threads=100, seconds=3)
        assert kept_code(["/bin/sh", "-c", many], made.who(), limits) not in (0, None)
    assert sleeping("302") == []


def test_one_file() -> None:
    listed = asked_within(replace(LIMITS, file=MIB), "large")
    assert listed.items["tools"][0]["name"] == "OSError"


def test_all_files() -> None:
    little = replace(LIMITS, disk=8 * MIB)
    assert failure(little, "disk") == "It passed its limit of disk and was ended."


def test_time() -> None:
    short = replace(LIMITS, seconds=1)
    assert failure(short, "silent") == "It passed its limit of time and was ended."


def test_nothing_that_it_started_lives_on() -> None:
    assert asked("orphans", "303").tools == ["left"]
    assert sleeping("303") == []


def test_nothing_lives_on_where_it_runs_as_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert asked("orphans", "304").tools == ["left"]
    assert sleeping("304") == []
    few = replace(LIMITS, processes=12)
    assert failure(few, "bomb") == "It passed its limit of processes and was ended."
    assert sleeping("301") == []


SCANNER = """
import asyncio, pathlib
from catalog.scanning.kept import Limits, Place, Who, running

async def main():
    place = Place(pathlib.Path("/"), pathlib.Path("/nowhere"))
    argv = ["/bin/sh", "-c", "setsid sleep 305 & sleep 305"]
    async with running(argv, {}, place, Who(), Limits(60)) as program:
        await program.wait()

asyncio.run(main())
"""


def test_nothing_lives_on_where_the_scanner_itself_is_killed() -> None:
    scanner = subprocess.Popen([sys.executable, "-c", SCANNER], cwd=PROJECT)
    await_true(lambda: len(sleeping("305")) == 2, 20)
    scanner.kill()
    scanner.wait()
    await_true(lambda: sleeping("305") == [], 20)
