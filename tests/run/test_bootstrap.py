"""The bootstrap on a small tree of its own: what it installs, and when it does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import config.bootstrap
from tests.run.made import ROOT

# One worker makes what all but two of these tests have a copy of.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bootstrap")]
SHOW = "import sys; print('prefix', sys.prefix, sys.argv[1:])"


def clone_in(folder: Path) -> Path:
    """A clone in a path with a space, whose pins name nothing: no network."""
    clone = folder / "my clone"
    (clone / "config").mkdir(parents=True)
    shutil.copy(ROOT / "config" / "bootstrap.py", clone / "config")
    (clone / "requirements.txt").write_text("# nothing\n")
    (clone / "requirements-dev.txt").write_text("# nothing more\n")
    (clone / "show.py").write_text(SHOW)
    return clone


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return clone_in(tmp_path)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A clone with its environment, and what was said while that was made."""
    clone = clone_in(tmp_path_factory.mktemp("first"))
    return clone, bootstrap(clone, "show", "one two", "three")


@pytest.fixture
def made(first: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that clone."""
    return shutil.copytree(first[0], tmp_path / "my clone", symlinks=True)


def command(tree: Path, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    # The interpreter below the tests' environment, as on a machine without one.
    base: str = sys._base_executable  # type: ignore[attr-defined]
    return [base, *options, str(tree / "config" / "bootstrap.py"), *arguments]


def bootstrap(tree: Path, *arguments: str, options: tuple[str, ...] = ()) -> str:
    argv = command(tree, *arguments, options=options)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_installs_once_per_pins_and_becomes_the_module(first, made):
    tree, said = first
    assert "Installing what requirements.txt pins" in said
    assert f"prefix {tree}/.venv ['one two', 'three']" in said
    assert bootstrap(made, "show") == f"prefix {made}/.venv []\n"

    (made / "requirements.txt").write_text("# changed\n")
    assert "Installing" in bootstrap(made, "show")
    assert "Installing" not in bootstrap(made, "show")

    assert "Installing what requirements-dev.txt" in bootstrap(made, "--dev", "show")
    assert "Installing" not in bootstrap(made, "--dev", "show")
    assert "Installing" not in bootstrap(made, "show")


def test_side_by_side_one_installs_and_the_other_waits(tree):
    both = [
        subprocess.Popen(
            command(tree, "show"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=100)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(text.count("Making the virtual environment") for text in said) == 1
    assert all(f"prefix {tree}/.venv" in text for text in said)


def test_a_half_installed_environment_is_thrown_away(made):
    (made / ".venv" / "unfinished").touch()
    (made / ".venv" / "half.txt").touch()
    assert "Making the virtual environment" in bootstrap(made, "show")
    assert not (made / ".venv" / "half.txt").exists()
    assert set(json.loads((made / ".venv" / "pins.json").read_text())) == {
        "requirements.txt"
    }


def test_an_interpreter_without_pip_makes_an_environment_that_has_one(tree):
    # -S: its site-packages, where pip is, are not looked at.
    assert "Installing" in bootstrap(tree, "show", options=("-S",))
    assert (tree / ".venv" / "bin" / "pip").exists()
    assert "Installing" not in bootstrap(tree, "show", options=("-S",))


def test_a_pin_without_its_digest_is_refused(made):
    stamp = made / ".venv" / "pins.json"
    before = stamp.read_text()
    (made / "requirements.txt").write_text("six==1.17.0\n")
    done = subprocess.run(command(made), capture_output=True, text=True, timeout=100)
    assert done.returncode != 0
    assert "hash" in (done.stdout + done.stderr).lower()
    assert stamp.read_text() == before


@pytest.fixture
def system_python(tmp_path, monkeypatch):
    """`system_python(code)` puts an interpreter in the system's place that ends so."""
    monkeypatch.delenv("PYTHON", raising=False)
    monkeypatch.setattr(config.bootstrap, "optimized", lambda: False)
    # As in an interpreter with a pip of its own, which the tests' lacks.
    monkeypatch.setattr(config.bootstrap, "find_spec", lambda name: name)

    def put(code: int) -> str:
        path = tmp_path / "python3"
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
        monkeypatch.setattr(config.bootstrap, "SYSTEM_PYTHON", str(path))
        return str(path)

    return put


def test_the_systems_python_stands_in_for_one_built_without_optimizations(
    system_python, monkeypatch
):
    path = system_python(0)
    assert config.bootstrap.interpreter() == path
    monkeypatch.setenv("PYTHON", sys.executable)
    assert config.bootstrap.interpreter() == sys.executable
    monkeypatch.delenv("PYTHON")
    monkeypatch.setattr(config.bootstrap, "optimized", lambda: True)
    assert config.bootstrap.interpreter() == sys.executable


def test_a_system_python_that_is_older_or_absent_does_not(system_python, monkeypatch):
    system_python(1)
    assert config.bootstrap.interpreter() == sys.executable
    monkeypatch.setattr(config.bootstrap, "SYSTEM_PYTHON", "/nowhere/python3")
    assert config.bootstrap.interpreter() == sys.executable


def test_a_system_python_is_asked_how_new_it_is(system_python, monkeypatch):
    """The tests' own interpreter, whose real path is another than its name."""
    system_python(0)
    monkeypatch.setattr(config.bootstrap, "SYSTEM_PYTHON", sys.executable)
    assert config.bootstrap.interpreter() == os.path.realpath(sys.executable)
    monkeypatch.setattr(config.bootstrap, "LANGUAGE", (3, 99))
    assert config.bootstrap.interpreter() == sys.executable


def test_an_interpreter_says_how_it_was_built(monkeypatch):
    said = {"CONFIG_ARGS": "'--prefix=/usr/local' '--enable-optimizations'"}
    monkeypatch.setattr(sysconfig, "get_config_var", said.get)
    assert config.bootstrap.optimized()
    said["CONFIG_ARGS"] = "'--prefix=/opt/python' '--enable-shared'"
    assert not config.bootstrap.optimized()
