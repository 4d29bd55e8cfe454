"""The bootstrap on a small tree of its own: what it installs, and when it does not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.made import ROOT

pytestmark = pytest.mark.slow
SHOW = "import sys; print('prefix', sys.prefix, sys.argv[1:])"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A clone in a path with a space, whose pins name nothing: no network."""
    clone = tmp_path / "my clone"
    (clone / "config").mkdir(parents=True)
    shutil.copy(ROOT / "config" / "bootstrap.py", clone / "config")
    (clone / "requirements.txt").write_text("# nothing\n")
    (clone / "requirements-dev.txt").write_text("# nothing more\n")
    (clone / "show.py").write_text(SHOW)
    return clone


def command(tree: Path, *arguments: str) -> list[str]:
    # The interpreter below the tests' environment, as on a machine without one.
    return [sys._base_executable, str(tree / "config" / "bootstrap.py"), *arguments]  # type: ignore[attr-defined]


def bootstrap(tree: Path, *arguments: str) -> str:
    done = subprocess.run(
        command(tree, *arguments), capture_output=True, text=True, timeout=100, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_installs_once_per_pins_and_becomes_the_module(tree):
    first = bootstrap(tree, "show", "one two", "three")
    assert "Installing what requirements.txt pins" in first
    assert f"prefix {tree}/.venv ['one two', 'three']" in first
    assert bootstrap(tree, "show") == f"prefix {tree}/.venv []\n"

    (tree / "requirements.txt").write_text("# changed\n")
    assert "Installing" in bootstrap(tree, "show")
    assert "Installing" not in bootstrap(tree, "show")

    assert "Installing what requirements-dev.txt" in bootstrap(tree, "--dev", "show")
    assert "Installing" not in bootstrap(tree, "--dev", "show")
    assert "Installing" not in bootstrap(tree, "show")


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


def test_a_half_installed_environment_is_thrown_away(tree):
    bootstrap(tree)
    (tree / ".venv" / "unfinished").touch()
    (tree / ".venv" / "half.txt").touch()
    assert "Making the virtual environment" in bootstrap(tree, "show")
    assert not (tree / ".venv" / "half.txt").exists()
    assert set(json.loads((tree / ".venv" / "pins.json").read_text())) == {
        "requirements.txt"
    }


def test_a_pin_without_its_digest_is_refused(tree):
    (tree / "requirements.txt").write_text("six==1.17.0\n")
    done = subprocess.run(command(tree), capture_output=True, text=True, timeout=100)
    assert done.returncode != 0
    assert "hash" in (done.stdout + done.stderr).lower()
    assert not (tree / ".venv" / "pins.json").exists()
