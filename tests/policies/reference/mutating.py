"""Loads a private copy of the engine with one piece of its source replaced."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

import policies
from tests.policies.reference.engine import Decode, Engine, decode

PACKAGE = Path(policies.__file__).parent


@cache
def modules() -> frozenset[str]:
    return frozenset(path.stem for path in PACKAGE.glob("*.py"))


@cache
def imports(module: str) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "policies":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.removeprefix("policies."))
    return frozenset(found)


@cache
def touched_by(module: str) -> frozenset[str]:
    """It, and all that import it, however far away: all others stay as they are."""
    touched = {module}
    while more := {m for m in modules() if imports(m) & touched} - touched:
        touched |= more
    return frozenset(touched)


@dataclass(frozen=True)
class Mutant:
    """`old`, found exactly once in the module's source, becomes `new`."""

    name: str
    module: str
    old: str
    new: str

    def source(self) -> str:
        text = (PACKAGE / f"{self.module}.py").read_text()
        found = text.count(self.old)
        assert found == 1, (
            f"mutant {self.name!r} no longer applies: its text is found {found} times "
            f"in policies/{self.module}.py"
        )
        return text.replace(self.old, self.new)


@cache
def code(module: str) -> CodeType:
    """Of a module as it is: most are loaded anew for most mutants."""
    path = PACKAGE / f"{module}.py"
    return compile(path.read_text(), str(path), "exec")


class Mutating(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules to be loaded anew, one of them mutated."""

    def __init__(self, mutant: Mutant | None, anew: frozenset[str]) -> None:
        self.code = {f"policies.{module}": partial(code, module) for module in anew}
        if mutant is not None:
            name, source = f"policies.{mutant.module}", mutant.source()
            self.code[name] = partial(compile, source, f"<mutant of {name}>", "exec")

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name not in self.code:
            return None
        return importlib.util.spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code[module.__name__](), module.__dict__)


def mutated(mutant: Mutant | None, decode: Decode = decode) -> Engine:
    """None gives an unmutated copy."""
    with apart(mutant, touched_by(mutant.module) if mutant else modules()):
        document = importlib.import_module("policies.document")
        compiling = importlib.import_module("policies.compile")
        decide = importlib.import_module("policies.decide")
    return Engine(
        SimpleNamespace(
            parse=document.parse,
            DocumentError=document.DocumentError,
            compile_document=compiling.compile_document,
            judge=decide.judge,
            Call=decide.Call,
            Facts=decide.Facts,
            Tool=decide.Tool,
        ),
        decode,
    )


@contextmanager
def apart(mutant: Mutant | None, anew: frozenset[str]) -> Iterator[None]:
    """Imports of these modules are made anew inside, and forgotten after it."""
    names = {"policies", *(f"policies.{module}" for module in anew)}

    def ours() -> list[str]:
        return [name for name in sys.modules if name in names]

    finder = Mutating(mutant, anew)
    kept = {name: sys.modules.pop(name) for name in ours()}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in ours():
            del sys.modules[name]
        sys.modules.update(kept)
