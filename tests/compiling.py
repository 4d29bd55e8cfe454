"""Compiles all of the code once, while pytest starts its servers.

Each worker of pytest-xdist would otherwise, after a clone, rewrite the assertions of
all test files for itself, all at the same time. A file that a worker comes to first
is compiled by both: both write it whole, by renaming.
"""

from __future__ import annotations

import compileall
import os
from collections.abc import Iterator
from pathlib import Path

from _pytest.assertion.rewrite import (
    PYC_TAIL,
    _read_pyc,
    _rewrite_test,
    _write_pyc_fp,
    get_cache_dir,
)

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
APART = {".venv", "node_modules"}


def main() -> None:
    for folder in sorted(ROOT.iterdir()):
        if (folder / "__init__.py").exists():
            compileall.compile_dir(folder, quiet=2, rx=_Rewritten())
    for path in rewritten(TESTS):
        compile_rewritten(path)


def rewritten(folder: Path) -> Iterator[Path]:
    """In the order in which pytest collects them."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in APART:
            yield from rewritten(path)
        elif is_rewritten(path):
            yield path


def is_rewritten(path: Path) -> bool:
    return path.match("test_*.py") or path.name == "conftest.py"


class _Rewritten:
    """What compileall passes over, as it asks a pattern."""

    def search(self, name: str) -> bool:
        path = Path(name)
        return is_rewritten(path) or not APART.isdisjoint(path.parts)


def compile_rewritten(path: Path) -> Path:
    """As pytest does it when it imports the file, which it then need not."""
    kept = get_cache_dir(path) / f"{path.stem}{PYC_TAIL}"
    if _read_pyc(path, kept) is None:
        digest, code = _rewrite_test(path, None)  # type: ignore[arg-type]
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_name(f"{kept.name}.{os.getpid()}")
        with new.open("wb") as file:
            _write_pyc_fp(file, digest, code)
        new.replace(kept)
    return kept


if __name__ == "__main__":
    main()
