"""What the code may import, be called, and how long it may get.

The rules are the tables below; the tests read the syntax trees of all files.
"""

from __future__ import annotations

import ast
import json
import re
import statistics
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.cases import cases

# One process reads all files, not each.
pytestmark = pytest.mark.xdist_group("layout")

ROOT = Path(__file__).resolve().parent.parent

# What an app may import, beside itself. config may import all; nobody imports config.
MAY_IMPORT = {
    "accounts": set(),
    "servers": {"accounts"},
    "policies": {"accounts", "servers"},
    "audit": {"accounts", "servers", "policies"},
    "approvals": {"accounts", "servers", "policies", "audit"},
    "catalog": {"accounts", "servers", "policies"},
    "gateway": {"accounts", "servers", "policies", "audit", "approvals"},
    "config": {
        *("accounts", "servers", "policies", "audit", "approvals", "catalog"),
        "gateway",
    },
}
APPS = set(MAY_IMPORT)

# Without I/O, and so is all that they import: the standard library and these
# parsing libraries.
PURE = {
    "accounts/keys.py",
    "accounts/secret_looks.py",
    "accounts/secret_names.py",
    "approvals/redaction.py",
    "approvals/schema_hints.py",
    "catalog/attacks/layout.py",
    "catalog/attacks/patterns.py",
    "catalog/classifier/case.py",
    "catalog/classifier/cases.py",
    "catalog/classifier/facts.py",
    "catalog/classifier/grading.py",
    "catalog/classifier/judging.py",
    "catalog/classifier/lexicon.py",
    "catalog/classifier/naming.py",
    "catalog/classifier/parameters.py",
    "catalog/classifier/phrases.py",
    "catalog/classifier/prose.py",
    "catalog/classifier/risks.py",
    "catalog/classifier/rubric.py",
    "catalog/classifier/running_cases.py",
    "catalog/classifier/schemas.py",
    "catalog/classifier/subject.py",
    "catalog/classifier/verdicts.py",
    "catalog/classifier/version.py",
    "catalog/classifier/voting.py",
    "catalog/classifier/words.py",
    "catalog/comparing.py",
    "catalog/config_scan/grading.py",
    "catalog/config_scan/reading.py",
    "catalog/config_scan/things.py",
    "catalog/evaluation/metrics.py",
    "catalog/evaluation/split.py",
    "catalog/naming.py",
    "catalog/packing.py",
    "gateway/bridge.py",
    "gateway/elicitation.py",
    "gateway/eras.py",
    "gateway/errors.py",
    "gateway/headers.py",
    "gateway/ids.py",
    "gateway/jsonrpc.py",
    "gateway/keys.py",
    "gateway/methods.py",
    "gateway/own_tool.py",
    "gateway/refusals.py",
    "gateway/sessions.py",
    "gateway/sse.py",
    "gateway/strictjson.py",
    "policies/approving.py",
    "policies/cases.py",
    "policies/compile.py",
    "policies/decide.py",
    "policies/decision.py",
    "policies/document.py",
    "policies/edits.py",
    "policies/facts.py",
    "policies/recommended.py",
    "policies/splice.py",
    "policies/unmatched.py",
    "policies/warnings.py",
    "servers/addresses.py",
}
PARSING = {"orjson", "jiter", "re2", "jsonschema_rs", "rfc8785", "cryptography"}
DOES_IO = {
    *("asyncio", "ctypes", "ftplib", "http", "multiprocessing", "select", "selectors"),
    *("shutil", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess"),
    *("tempfile", "threading", "urllib.request"),
}

# Folders and modules for patterns instead of things.
NOT_A_NAME = {
    *("common", "core", "helpers", "helper", "lib", "managers", "misc", "selectors"),
    *("services", "service", "shared", "signals", "utils", "util"),
}

LONGEST_FUNCTION, LONGEST_FILE = 50, 400
SHORT_FUNCTION, SHORT_SHARE, MEDIAN_FUNCTION = 20, 0.85, 8


Statement = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef


def statements(code: str) -> list[Statement]:
    """Those that the rules are about, however deep."""
    return [node for node in ast.walk(ast.parse(code)) if isinstance(node, Statement)]


@cache
def sources() -> dict[str, list[Statement]]:
    """The project's code without tests and migrations, by path."""
    folders = [ROOT / app for app in sorted(APPS)] + [ROOT / "benchmarks"]
    paths = [p for folder in folders for p in sorted(folder.rglob("*.py"))]
    return {
        str(path.relative_to(ROOT)): statements(path.read_text())
        for path in paths
        if "migrations" not in path.parts
    }


def imported(path: str, code: list[Statement]) -> Iterator[str]:
    """Dotted names of all imported modules, relative ones resolved."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in code:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *([node.module] if node.module else [])]
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in node.names)


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for path, code in sources().items():
        for node in code:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node, (node.end_lineno or node.lineno) - node.lineno + 1


def test_the_tables_name_what_exists():
    top = {path.split("/")[0] for path in sources()}
    assert len(sources()) > 40
    assert {"accounts", "servers", "policies", "audit", "gateway", "config"} <= top
    assert set(sources()) >= PURE


def test_imports_go_one_way():
    wrong = [
        f"{path} imports {name}"
        for path, code in sources().items()
        if (app := path.split("/")[0]) in APPS
        for name in imported(path, code)
        if (other := name.split(".")[0]) in APPS | {"tests", "benchmarks"}
        if other != app and other not in MAY_IMPORT[app]
    ]
    assert wrong == []


def test_pure_modules_do_no_io():
    """Nor does anything that they import, however far away."""
    wrong, waiting, seen = [], sorted(PURE), set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        names = list(imported(path, sources()[path]))
        wrong += [f"{path} imports {name}" for name in names if does_io(name)]
        waiting += sorted({module(name) for name in names} - seen - {""})
    assert wrong == []


def does_io(name: str) -> bool:
    first = name.split(".")[0]
    if first in APPS:
        return False  # what it imports in turn is looked at
    known = first in PARSING or first in sys.stdlib_module_names
    return not known or first in DOES_IO or name in DOES_IO


def module(name: str) -> str:
    """The file of a dotted name of ours, or of the module that holds it."""
    tries = (name, name.rpartition(".")[0])
    paths = [
        f"{n.replace('.', '/')}{end}" for n in tries for end in (".py", "/__init__.py")
    ]
    return next((path for path in paths if path in sources()), "")


def test_files_stay_readable():
    lengths = {p: len((ROOT / p).read_text().splitlines()) for p in sources()}
    assert {p: n for p, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_long():
    long = [f"{p} {f.name}: {n}" for p, f, n in functions() if n > LONGEST_FUNCTION]
    assert long == []


def test_most_functions_are_short():
    lengths = [length for _, _, length in functions()]
    short = sum(length <= SHORT_FUNCTION for length in lengths) / len(lengths)
    assert short >= SHORT_SHARE
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_nothing_is_named_for_a_pattern():
    parts = {(p, part.removesuffix(".py")) for p in sources() for part in p.split("/")}
    assert sorted(p for p, part in parts if part in NOT_A_NAME) == []


def test_no_signals_and_no_save_overrides():
    overrides = [f"{p} {f.name}" for p, f, _ in functions() if f.name == "save"]
    models = [o for o in overrides if o.split("/")[-1].startswith("models.py")]
    signals = [
        f"{path} imports {name}"
        for path, code in sources().items()
        for name in imported(path, code)
        if name.startswith(("django.dispatch", "django.db.models.signals"))
    ]
    assert models + signals == []


def test_pins_are_hashed_and_name_no_index():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        pins = re.findall(r"^([\w.\-\[\]]+)==", text, re.MULTILINE)
        blocks = re.split(r"^(?=[\w.\-\[\]]+==)", text, flags=re.MULTILINE)[1:]
        assert len(pins) > 50
        assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == []
        assert not re.search(r"^\s*(-i|--index|--extra|--find)|https?://", text, re.M)


def test_locked_packages_have_digests_and_no_addresses():
    lock = json.loads((ROOT / "tests" / "package-lock.json").read_text())
    packages = {path: p for path, p in lock["packages"].items() if path}
    assert packages
    assert [path for path, p in packages.items() if "integrity" not in p] == []
    assert [path for path, p in packages.items() if "resolved" in p] == []


@cases(
    ("code", "found"),
    [
        ("from policies import compile", {"policies", "policies.compile"}),
        ("import audit.models as m", {"audit.models"}),
        ("from . import x", {"servers", "servers.x"}),
        ("from ..audit import y", {"audit", "audit.y"}),
        ("def f():\n    import gateway.app", {"gateway.app"}),
    ],
)
def test_every_way_to_import_is_seen(code, found):
    # `from ..audit` in servers/a.py resolves to the top: the empty package's audit.
    assert {n.lstrip(".") for n in imported("servers/a.py", statements(code))} == found
