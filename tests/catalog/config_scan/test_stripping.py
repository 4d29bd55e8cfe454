"""What is left of an entry: what names it, and nothing that may be a secret."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.config_scan import stripping
from catalog.config_scan.stripping import strip
from catalog.config_scan.things import thing_of
from catalog.recipes import RECIPES
from tests.cases import cases
from tests.catalog.config_scan.lines import GITHUB, LINES, SECRETS


def left(entry) -> list[str] | str:
    found = strip("x", entry)
    return found.url or [found.command, *found.args]


@cases(("entry", "expected"), LINES)
def test_only_what_is_needed_is_left(entry, expected):
    assert left(entry) == expected


def test_no_secret_is_left_of_any_line():
    for entry, _ in LINES:
        said = json.dumps(strip("x", entry).as_json())
        assert [secret for secret in SECRETS if secret in said] == []


def test_every_secret_is_in_some_line():
    given_ = json.dumps([entry for entry, _ in LINES])
    assert [secret for secret in SECRETS if secret not in given_] == []


@cases(("entry", "expected"), LINES)
def test_twice_is_as_once(entry, expected):
    once = strip("x", entry)
    assert strip("x", json.loads(json.dumps(once.as_json()))) == once


def test_a_name_that_is_a_key_is_none():
    assert strip(GITHUB, {"command": "npx"}).name == "***"
    assert strip("n" * 300, {"command": "npx"}).name == "n" * 100


def test_what_looks_like_a_key_goes_even_where_a_name_may_stand(monkeypatch):
    """Unplugged, the look of a key is all that is left."""
    entry = {"command": "npx", "args": ["-y", GITHUB]}
    monkeypatch.setattr(stripping, "looks_key", lambda text: False)
    assert GITHUB in strip("x", entry).args


@cases("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_no_package_of_the_catalogue_looks_like_a_key(recipe):
    command = {"npm": "npx", "pypi": "uvx"}.get(recipe.kind)
    if command:
        assert strip("x", {"command": command, "args": [recipe.name]}).args == (
            recipe.name,
        )


KEYS = st.sampled_from(["command", "args", "url", "path", "enabled", "other"])
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=5,
)
# Other tests run beside this one.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(st.text(max_size=20), st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_anything_can_be_stripped(name, entry):
    """Whatever a client writes, and whatever a stranger sends."""
    found = strip(name, entry)
    assert strip(found.name, json.loads(json.dumps(found.as_json()))) == found
    assert thing_of(found).words


@CALM
@given(
    st.sampled_from(["npx", "uvx", "docker", "node", "python", "other"]),
    st.lists(st.text(max_size=12) | st.sampled_from(["-y", "run", "-e"]), max_size=6),
)
def test_stripping_is_stable_for_every_command_line(command, args):
    found = strip("x", {"command": command, "args": args})
    again = strip("x", json.loads(json.dumps(found.as_json())))
    assert set(again.args) <= {*found.args, "***", "--***"}
    assert thing_of(found).words
