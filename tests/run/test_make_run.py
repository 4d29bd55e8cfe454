"""`make run`, through the front door: started, killed, stopped, started again."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import psycopg
import pytest
import redis

from config.embedded import erase
from tests.copying import TEMPLATE
from tests.run.made import ROOT, MadeSystem, await_true, free_port
from tests.system.prepared import in_database

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("run"),
    pytest.mark.timeout(180),
]
EVERY_PART = {"postgres", "valkey", "web", "recorder", "sandbox", "worker", "beat"}


@dataclass
class Story:
    """Three starts in one place; the last of them runs."""

    bystander: subprocess.Popen[bytes]
    starts: list[MadeSystem] = field(default_factory=list)
    sandboxes: list[str] = field(default_factory=list)
    left_by_stopping: list[psutil.Process] = field(default_factory=list)
    left_by_killing: list[psutil.Process] = field(default_factory=list)

    def begun(self, system: MadeSystem) -> list[psutil.Process]:
        """Its processes."""
        self.starts.append(system)
        self.sandboxes.append(run_file(system)["SANDBOX_URL"])
        return system.processes()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    data_dir = tmp_path_factory.mktemp("run") / "with space" / "data"
    port = free_port()
    with subprocess.Popen(["sleep", "300"]) as bystander:
        story = Story(bystander)
        with MadeSystem(data_dir, port) as system:
            system.await_parts(EVERY_PART)
            ours = story.begun(system)
            os.kill(system.make.pid, signal.SIGTERM)
            system.make.wait(30)
            story.left_by_stopping = living(ours)
        with MadeSystem(data_dir, port) as system:
            ours = story.begun(system)
            os.kill(system.supervisor(), signal.SIGKILL)
        with MadeSystem(data_dir, port) as system:
            story.left_by_killing = living(ours)
            story.begun(system)
            system.await_parts(EVERY_PART)
            yield story
        bystander.kill()
    erase(data_dir)


@pytest.fixture(scope="module")
def system(story: Story) -> MadeSystem:
    return story.starts[-1]


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that do not end within seconds: the supervisor itself is one of them."""
    _, left = psutil.wait_procs(processes, timeout=5)
    return list(left)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def run_file(system: MadeSystem) -> dict[str, str]:
    found: dict[str, str] = json.loads((system.data_dir / "run.json").read_text())
    return found


def accepts(database_url: str) -> bool:
    try:
        psycopg.connect(database_url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_last_line_is_the_address_and_the_mailbox_stands_before(system):
    *_, mailbox, ready = system.start_lines
    assert ready == f"Ready: {system.address}"
    assert mailbox.startswith(f"Mailbox: {system.address}/mailbox/")


def test_ready_means_that_every_half_answers(system):
    assert get(f"{system.address}/healthz")[0] == 200
    assert get(f"{system.address}/mcp/health")[0] == 200
    mailbox = system.start_lines[-2].removeprefix("Mailbox: ")
    assert get(mailbox)[0] == 200
    assert get(mailbox[:-3] + "xx/")[0] == 404


def test_secrets_and_data_are_for_their_owner_alone(system):
    folder = system.data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    private = [*(folder / "secrets").iterdir(), folder / "run.json"]
    assert len(private) == 4
    assert [p for p in private if stat.S_IMODE(p.stat().st_mode) != 0o600] == []


def test_nothing_listens_but_on_loopback(system):
    listening = [
        connection.laddr
        for process in system.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    ports = {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert ports == {system.port, int(run_file(system)["SANDBOX_PORT"])}


def test_commands_find_the_servers_by_the_data_directory(system):
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env={k: v for k, v in system.env.items() if k != "PORT"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_second_start_in_the_same_directory_is_refused(system):
    second = MadeSystem(system.data_dir, free_port()).begin()
    assert second.await_end() != 0
    said = "\n".join(second.lines)
    assert f"{system.data_dir} is in use by the system at {system.address}" in said
    assert "Traceback" not in said


def test_a_taken_port_is_refused(system, tmp_path):
    second = MadeSystem(tmp_path / "data", system.port).begin()
    assert second.await_end() != 0
    said = "\n".join(second.lines)
    assert f"Port {system.port} on 127.0.0.1 is taken by another program" in said
    assert "Traceback" not in said


def test_a_killed_part_is_started_again_and_loses_nothing(system):
    known = run_file(system)
    with psycopg.connect(known["DATABASE_URL"], autocommit=True) as database:
        database.execute("CREATE TABLE kept (i int)")
        database.execute("INSERT INTO kept VALUES (7)")
    with redis.Redis.from_url(known["REDIS_URL"]) as valkey:
        valkey.set("kept", "7")
    before = system.parts()
    for name in EVERY_PART:
        os.kill(before[name], signal.SIGKILL)

    await_true(lambda: not set(system.parts().values()) & set(before.values()), 20)
    await_true(lambda: get(f"{system.address}/mcp/health")[0] == 200, 20)
    await_true(lambda: accepts(known["DATABASE_URL"]), 20)
    with psycopg.connect(known["DATABASE_URL"]) as database:
        assert database.execute("SELECT i FROM kept").fetchone() == (7,)
    with redis.Redis.from_url(known["REDIS_URL"]) as valkey:
        assert valkey.get("kept") == b"7"
    system.await_line("web was killed by SIGKILL", 5)


def test_it_starts_again_after_any_end(story):
    assert story.left_by_stopping == story.left_by_killing == []
    _, *later = story.starts
    assert not any("Installing" in line for system in later for line in system.lines)
    assert len(set(story.sandboxes)) == 1
    assert min(system.started_in for system in later) < 4, "a later start is too slow"
    assert story.bystander.poll() is None


@pytest.fixture
def given(db: None) -> Iterator[dict[str, str]]:
    """A database that an older version left, without a table and the catalogue, and a
    Valkey, that run already."""
    postgres = os.environ["DATABASE_URL"]
    name = f"given{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = in_database(postgres, name)
    with psycopg.connect(url) as database:
        database.execute("DROP TABLE django_session")
        database.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    yield {
        "DATABASE_URL": url,
        "REDIS_URL": f"{os.environ['TEST_VALKEY_URL'].split('?')[0]}?db=15",
    }
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.django_db
def test_another_beside_it_uses_the_servers_that_are_named(given, story, tmp_path):
    (system, data_dir) = story.starts[-1], tmp_path / "data"
    with MadeSystem(data_dir, free_port(), **given) as other:
        assert set(other.parts()) & {"postgres", "valkey"} == set()
        assert not (data_dir / "valkey").exists()
        with psycopg.connect(given["DATABASE_URL"]) as database:
            assert database.execute("SELECT count(*) FROM django_session").fetchone()
            assert database.execute("SELECT 1 FROM catalog_catalogserver").fetchone()
        other.await_parts(EVERY_PART - {"postgres", "valkey"})
        assert run_file(other)["SANDBOX_URL"] != run_file(system)["SANDBOX_URL"]

        ours = other.processes()
        os.kill(other.make.pid, signal.SIGKILL)  # the supervisor follows make
        await_true(lambda: not (data_dir / "run.json").exists(), 40)
        assert living(ours) == []
    assert get(f"{system.address}/healthz")[0] == 200
    assert accepts(given["DATABASE_URL"])
    assert story.bystander.poll() is None


def test_a_database_that_is_not_there_is_told(tmp_path):
    nowhere = f"postgresql://x@127.0.0.1:{free_port()}/x"
    system = MadeSystem(tmp_path / "data", free_port(), DATABASE_URL=nowhere).begin()
    assert system.await_end() != 0
    said = "\n".join(system.lines)
    assert "DATABASE_URL leads to no database" in said
    assert "Traceback" not in said
