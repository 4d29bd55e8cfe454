"""A package into its cell: a venv with uv or pip, or a folder with npm.

npm runs no scripts of packages. pip takes wheels where there are any; building one that
has none runs its code, as starting the server will: both run confined.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from catalog.scanning.cell import Cell
from catalog.scanning.failures import ScanFailed
from catalog.scanning.kept import MIB, Limits, Who, kept_code, running
from catalog.scanning.sources import Source

PYTHON_NEEDED = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"
# The first pip that installs for another interpreter (--python).
PIP_NEEDED = """
import pip, sys
sys.exit([int(part) for part in pip.__version__.split(".")[:2]] < [22, 3])
"""
MAX_OUTPUT = MIB
ABOUT = """
import importlib.metadata, json, sys
found = importlib.metadata.distribution(sys.argv[1])
points = [p.name for p in found.entry_points if p.group == "console_scripts"]
print(json.dumps({"version": found.version, "scripts": points}))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """`command` starts the server; `arguments` of the recipe follow it."""

    command: list[str]
    version: str


async def install(cell: Cell, source: Source, seconds: float) -> Installed:
    """Raises ScanFailed."""
    limits = Limits(seconds, processes=128)
    if source.kind == "pypi":
        return await _from_pypi(cell, source, limits)
    return await _from_npm(cell, source, limits)


async def _from_pypi(cell: Cell, source: Source, limits: Limits) -> Installed:
    folder = cell.folder / "python"
    python = str(folder / "bin" / "python")
    wanted = source.name + (f"=={source.version}" if source.version else "")
    for argv in _commands(cell.uid, folder, python, wanted):
        await _run(cell, argv, limits)
    bare = source.name.partition("[")[0]
    about = await _told(cell, [python, "-I", "-c", ABOUT, bare], limits)
    script = program_of(source, bare, about.get("scripts"))
    return Installed([str(folder / "bin" / script)], _version(about))


def _commands(
    uid: int | None, folder: Path, python: str, wanted: str
) -> list[list[str]]:
    """uv does the same as pip in a fraction of the time."""
    base, venv = usable_python(uid), str(folder)
    if uv := shutil.which("uv"):
        into = ["--quiet", "--no-cache", "--no-config", "--python", python]
        made = [uv, "venv", "--quiet", "--no-config", "--python", base, venv]
        return [made, [uv, "pip", "install", *into, wanted]]
    options = ["install", "--quiet", "--no-input", "--no-compile", "--no-cache-dir"]
    options += ["--disable-pip-version-check", "--prefer-binary", wanted]
    if _runs(base, PIP_NEEDED, uid):
        # A pip of its own would take longer than the package.
        pip = [base, "-I", "-m", "pip", "--python", python]
        return [[base, "-m", "venv", "--without-pip", venv], [*pip, *options]]
    return [[base, "-m", "venv", venv], [python, "-m", "pip", *options]]


async def _from_npm(cell: Cell, source: Source, limits: Limits) -> Installed:
    npm, node = _program("npm"), _program("node")
    folder = cell.folder / "node"
    wanted = source.name + (f"@{source.version}" if source.version else "")
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    await _run(cell, [npm, "install", *quiet, "--prefix", str(folder), wanted], limits)
    root = folder / "node_modules" / source.name
    # Read as the cell's user: what lies there may lead anywhere.
    about = await _told(cell, ["/bin/cat", str(root / "package.json")], limits)
    start = _start(source, about.get("bin"))
    return Installed([node, str(root / start)], _version(about))


def program_of(source: Source, bare: str, scripts: Any) -> str:
    """The one that starts the server. Raises ScanFailed."""
    names = [n for n in scripts or () if isinstance(n, str) and "/" not in n]
    for wanted in (source.script, bare, bare.replace("_", "-")):
        if wanted in names:
            return wanted
    if len(names) == 1:
        return names[0]
    listed = ", ".join(names[:10]) or "none"
    raise ScanFailed("install", f"Which program starts it is unclear: {listed}.")


def _start(source: Source, programs: Any) -> str:
    """`bin` of package.json: one path, or paths by name."""
    if isinstance(programs, dict):
        bare = PurePosixPath(source.name).name
        programs = programs.get(source.script or bare) or next(
            iter(programs.values()), None
        )
    if not isinstance(programs, str):
        raise ScanFailed("install", "The package has no program that starts it.")
    return programs


def _version(about: dict[str, Any]) -> str:
    return str(about.get("version", ""))[:255]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ScanFailed("install", f"{name} is needed for this and is not installed.")
    return found


def usable_python(uid: int | None) -> str:
    """One that the cell's user may run: ours may lie in somebody's HOME."""
    own = str(getattr(sys, "_base_executable", sys.executable))
    others = (shutil.which("python3", path="/usr/local/bin:/usr/bin"), own)
    for candidate in (own, *others):
        if candidate and _runs(candidate, PYTHON_NEEDED, uid):
            return candidate
    raise ScanFailed("install", "There is no Python with venv that its user may run.")


@cache
def _runs(python: str, program: str, uid: int | None) -> bool:
    argv = [python, "-I", "-c", program]
    return kept_code(argv, Who(uid), Limits(seconds=20)) == 0


async def _told(cell: Cell, argv: list[str], limits: Limits) -> dict[str, Any]:
    try:
        told = orjson.loads(await _run(cell, argv, limits))
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        raise ScanFailed("install", "The package's own description cannot be read.")
    return told


async def _run(cell: Cell, argv: list[str], limits: Limits) -> bytes:
    """What it writes, once it has ended well. Raises ScanFailed."""
    env = cell.environment(installing=True)
    who = cell.who(online=True)
    async with running(argv, env, cell.place, who, limits) as program:
        program.input.close()
        told = await program.output.read(MAX_OUTPUT)
        while await program.output.read(MAX_OUTPUT):
            pass
        ending = await program.wait()
    if (ending.why, ending.code) != ("ended", 0):
        last = program.last_words or told.decode("utf-8", "replace")
        raise ScanFailed("install", ending.words, last)
    return told
