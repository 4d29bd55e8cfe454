"""docker-compose.yml says the same as the tables that `make run` starts from."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from config.embedded import VALKEY_SETTINGS
from config.run.parts import CATALOG, MIGRATE, PARTS, VARIABLES
from tests.run.made import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
IN_CONTAINERS = {"HOST": "0.0.0.0", "PORT": "8000", "DATA_DIR": "/data"}

# Variables of `make run` that the compose file leaves out, and why.
LEFT_OUT = {
    "MAILBOX_SECRET_FILE": "mail goes out by EMAIL_URL",
    "SANDBOX_URL": "the sandbox is for one machine",
    "SANDBOX_PORT": "the sandbox is for one machine",
}
OURS = {
    name: s for name, s in SERVICES.items() if "config/image" in str(s.get("build", ""))
}


def words(command: tuple[str, ...]) -> list[str]:
    return ["python", *(word.format_map(IN_CONTAINERS) for word in command)]


@pytest.mark.parametrize("part", [p for p in PARTS if p.name != "sandbox"], ids=str)
def test_each_part_has_its_command(part):
    assert SERVICES[part.name]["command"] == words(part.command)


def test_the_gateway_is_the_same_program_as_the_pages():
    assert SERVICES["gateway"]["command"] == SERVICES["web"]["command"]


def test_migrations_run_before_every_part():
    assert SERVICES["migrate"]["command"] == words(MIGRATE)
    waits = {"condition": "service_completed_successfully"}
    parts = {name: s for name, s in OURS.items() if name != "migrate"}
    assert {s["depends_on"]["migrate"]["condition"] for s in parts.values()} == {
        waits["condition"]
    }


def test_the_catalogue_is_loaded_after_migrations_and_holds_nobody_up():
    assert SERVICES["catalog"]["command"] == words(CATALOG)
    assert set(SERVICES["catalog"]["depends_on"]) == {"migrate"}
    assert [n for n, s in OURS.items() if "catalog" in s["depends_on"]] == []


def test_there_is_nothing_more_and_nothing_less():
    parts = {p.name for p in PARTS if p.name != "sandbox"}
    assert set(OURS) == parts | {"gateway", "migrate", "catalog"}
    assert set(SERVICES) - set(OURS) == {"postgres", "valkey", "broker"}


def test_each_part_is_given_the_same_variables():
    expected = set(VARIABLES) - set(LEFT_OUT)
    for name, service in OURS.items():
        missing = expected - set(service["environment"])
        assert missing == set(), name
    assert set(LEFT_OUT) <= set(VARIABLES)


def test_the_broker_is_another_valkey():
    environment = SERVICES["web"]["environment"]
    assert environment["REDIS_URL"].startswith("redis://valkey:")
    assert environment["CELERY_BROKER_URL"].startswith("redis://broker:")


@pytest.mark.parametrize("name", ["valkey", "broker"])
def test_valkey_keeps_and_never_evicts(name):
    _, *options = SERVICES[name]["command"]
    given = dict(zip(options[::2], options[1::2], strict=True))
    for setting in ("appendonly", "maxmemory-policy", "save"):
        assert given[f"--{setting}"] == VALKEY_SETTINGS[setting]
    # Power loss takes 2 s at most; embedded, the kernel's own 30 s are good enough.
    assert given["--appendfsync"] == "everysec"
    assert SERVICES[name]["volumes"] == [f"{name}:/data"]


def test_the_image_holds_every_app():
    image = (ROOT / "config" / "image" / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", image, re.MULTILINE))
    apps = {p.parent.name for p in ROOT.glob("*/apps.py")}
    assert copied == apps | {"config", "templates"}
    ignored = (ROOT / ".dockerignore").read_text()
    assert {name for name in copied if f"!{name}\n" not in ignored} == set()


def test_no_port_is_open_to_the_network_by_itself():
    published = [port for s in SERVICES.values() for port in s.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
