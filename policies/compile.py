"""A document made ready to decide: nothing is parsed on a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from policies.digest import digest_of
from policies.document import Document
from policies.globs import Matcher, parse_glob
from policies.plans import Entry, Plan, compile_entry, make_plan
from policies.reads import Section, compile_section
from policies.rules import Rules

# Names that were resolved are remembered, in bounded room: clients choose them.
MOST_RESOLVED = 4096
LONGEST_RESOLVED = 256


@dataclass(frozen=True, slots=True)
class Resolved:
    """What applies to a tool's name. `written` is the entry for what the watched
    parts would decide; `watches`: there are any."""

    hidden: bool
    entry: Entry | None
    written: Entry | None
    enforced: Plan
    watched: Plan
    watches: bool


@dataclass(frozen=True)
class CompiledPolicy:
    document: Document
    default_allow: bool
    watched: bool
    validate: bool | None
    all_tools: Entry | None
    exact: Mapping[str, Entry]
    globs: tuple[Entry, ...]
    globs_as_written: tuple[Entry, ...]
    hidden_names: frozenset[str]
    hidden_globs: tuple[Matcher, ...]
    resources: Section
    prompts: Section
    _resolved: dict[str, Resolved] = field(default_factory=dict, compare=False)

    @property
    def digest(self) -> str:
        return self.document.digest

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.exact.values(), *self.globs)

    def resolve(self, name: str) -> Resolved:
        resolved = self._resolved.get(name)
        if resolved is None:
            resolved = self._resolve(name)
            if len(name) <= LONGEST_RESOLVED:
                if len(self._resolved) >= MOST_RESOLVED:
                    self._resolved.clear()
                self._resolved[name] = resolved
        return resolved

    def matching(self, name: str) -> list[Entry]:
        """All globs that match, the one that applies first."""
        return [e for e in self.globs if e.glob and e.glob.matches(name)]

    def entry_digest(self, tool_name: str) -> str:
        """Hex SHA-256 of the entry that applies and `all_tools`."""
        entry = self.resolve(tool_name).entry
        return digest_of(
            {
                "entry": None if entry is None else entry.data,
                "all_tools": None if self.all_tools is None else self.all_tools.data,
            }
        )

    def section_digest(self, kind: Literal["resource", "prompt"]) -> str:
        """Hex SHA-256 of the section that judges these reads."""
        return digest_of({f"{kind}s": self.document.data.get(f"{kind}s")})

    def _resolve(self, name: str) -> Resolved:
        entry = self.exact.get(name) or _first(self.globs, name)
        written = self.exact.get(name) or _first(self.globs_as_written, name)
        none, every = Rules(), self.all_tools
        validate, would_validate = self.validate, None
        if self.watched:
            validate, would_validate = None, self.validate
        watched = make_plan(
            name,
            written.watched if written else none,
            every.watched if every else none,
            would_validate,
        )
        return Resolved(
            name in self.hidden_names or any(m(name) for m in self.hidden_globs),
            entry,
            written,
            make_plan(
                name,
                entry.enforced if entry else none,
                every.enforced if every else none,
                validate,
            ),
            watched,
            bool(watched),
        )


def _first(entries: tuple[Entry, ...], name: str) -> Entry | None:
    for entry in entries:
        if entry.glob and entry.glob.matches(name):
            return entry
    return None


def compile_document(document: Document) -> CompiledPolicy:
    data = document.data
    watched = data.get("mode") == "watch"
    every = data.get("all_tools")
    tools: dict[str, Any] = data.get("tools", {})
    entries = [compile_entry(key, entry, watched) for key, entry in tools.items()]
    globs = [entry for entry in entries if entry.glob and entry.glob.exact is None]
    hidden = [parse_glob(text) for text in data.get("hide", ())]
    return CompiledPolicy(
        document=document,
        default_allow=data["default"] == "allow",
        watched=watched,
        validate=_validate(data),
        all_tools=None if every is None else compile_entry(None, every, watched),
        exact={e.glob.exact: e for e in entries if e.glob and e.glob.exact is not None},
        globs=tuple(sorted(globs, key=lambda e: e.rank(as_written=False))),
        globs_as_written=tuple(sorted(globs, key=lambda e: e.rank(as_written=True))),
        hidden_names=frozenset(g.exact for g in hidden if g.exact is not None),
        hidden_globs=tuple(g.matches for g in hidden if g.exact is None),
        resources=compile_section("resources", data, watched),
        prompts=compile_section("prompts", data, watched),
    )


def _validate(data: Mapping[str, Any]) -> bool | None:
    wanted = data.get("validate_arguments")
    return None if wanted is None else wanted == "strict"
