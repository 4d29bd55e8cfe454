"""What `make run` refuses before it starts anything."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from config.run import datadir
from config.run.environment import environment, mailbox_line
from config.run.options import check_port, own_ports, read_options
from config.run.terminal import StartError


@pytest.mark.parametrize(
    "port", ["0", "65536", "-1", "http", "80 80", "８０００", "1e3"]
)
def test_a_bad_port_is_refused_with_its_text(port):
    with pytest.raises(StartError, match="PORT is .*write a number from 1 to 65535"):
        read_options({"PORT": port})


def test_the_mailbox_is_never_for_others():
    with pytest.raises(StartError, match="Set EMAIL_URL"):
        read_options({"BASE_URL": "https://mcp.example.com"})
    options = read_options(
        {"BASE_URL": "https://mcp.example.com", "EMAIL_URL": "smtp://mail:25"}
    )
    assert "mailbox/" not in mailbox_line(options, {})


def test_a_taken_port_is_told_from_a_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartError, match="is taken by another program"):
            check_port(taken.getsockname()[1])


def test_own_ports_are_those_of_our_parts_and_not_the_sandbox_s():
    options = read_options(
        {
            "PORT": "8001",
            "DATABASE_URL": "postgresql://u:p@127.0.0.1/db",
            "REDIS_URL": "redis://127.0.0.1:6390/0",
            "SANDBOX_PORT": "9000",
        }
    )
    assert own_ports(options) == "5432,6390,8001"
    assert own_ports(read_options({})) == "8000"


def test_what_was_set_by_hand_stays(tmp_path):
    given = {"DATA_DIR": str(tmp_path / "d"), "SECRET_KEY": "mine"}
    given |= {"ALLOW_PRIVATE_UPSTREAMS": "0", "CELERY_BROKER_URL": "redis://broker/0"}
    options = read_options(given)
    datadir.open_data_dir(options.data_dir)
    env = environment(options, given, "postgresql:///db", "redis://valkey/0")
    assert "SECRET_KEY_FILE" not in env
    assert env["ALLOW_PRIVATE_UPSTREAMS"] == "0"
    assert env["CELERY_BROKER_URL"] == "redis://broker/0"
    bare = environment(options, {}, "postgresql:///db", "redis://valkey/0")
    assert bare["ALLOW_PRIVATE_UPSTREAMS"] == "1"
    assert bare["CELERY_BROKER_URL"] == "redis://valkey/0"
    socket_url = environment(options, {}, "postgresql:///db", "unix:///run/v.sock?db=0")
    assert (
        socket_url["CELERY_BROKER_URL"] == "redis+socket:///run/v.sock?virtual_host=0"
    )


def test_secrets_are_made_once(tmp_path):
    datadir.open_data_dir(tmp_path / "d")
    first = {n: p.read_text() for n, p in datadir.make_secrets(tmp_path / "d").items()}
    again = {n: p.read_text() for n, p in datadir.make_secrets(tmp_path / "d").items()}
    assert first == again
    assert len(set(first.values())) == 3


def test_a_shared_directory_is_no_data_directory(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(StartError, match="a directory of its own"):
        datadir.open_data_dir(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777


def test_an_open_directory_of_ours_is_closed_and_its_parents_are_not(tmp_path):
    (tmp_path / "d").mkdir(mode=0o755)
    before = tmp_path.stat().st_mode
    datadir.open_data_dir(tmp_path / "d")
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700
    assert tmp_path.stat().st_mode == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_directory_of_another_user_is_refused(tmp_path):
    (tmp_path / "d").mkdir()
    os.chown(tmp_path / "d", 12345, 12345)
    with pytest.raises(StartError, match="belongs to another user"):
        datadir.open_data_dir(tmp_path / "d")
