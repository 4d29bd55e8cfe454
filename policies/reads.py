"""Resources and prompts: `{default, allow, deny, hide, limits}` made ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from policies.decision import Decision
from policies.globs import Glob, Wild, parse_glob
from policies.limited import Limit, compile_limit
from policies.plans import Plan, still_uses
from policies.reading import Bounds
from policies.uris import Uri, uri_glob

Data = Mapping[str, Any]
Test = Callable[[Any], bool]

# Looking for a glob in a longer name counts as text, in each of its two forms; a
# glob with `?` is a regex, whose call costs as much as this much text more.
LONG_NAME = 128
REGEX_COST = 1300


@dataclass(frozen=True, slots=True)
class Subject:
    """What is read: a prompt's name or a parsed URI, and its length as sent."""

    value: str | Uri
    length: int


@dataclass(frozen=True, slots=True)
class Names:
    """A list of names and globs, each with whether a regex matches it; `first` is
    the index of the first that matches."""

    tests: tuple[tuple[Test, bool], ...]

    def first(self, subject: Subject, bounds: Bounds) -> int | None:
        for index, (test, by_regex) in enumerate(self.tests):
            if by_regex or subject.length > LONG_NAME:
                bounds.scan(2 * (by_regex * REGEX_COST + subject.length))
            if test(subject.value):
                return index
        return None


@dataclass(frozen=True, slots=True)
class Section:
    pointer: str
    default_allow: bool
    hide: Names
    deny: Names
    allow: Names
    deny_watched: bool
    enforced: Plan
    watched: Plan

    def lets(self, subject: Subject, bounds: Bounds) -> bool:
        """What nothing hides or denies is named, or needs no name."""
        return self.default_allow or self.allow.first(subject, bounds) is not None

    def denial(self, index: int) -> Decision:
        return Decision("deny", f"{self.pointer}/deny/{index}", None)


def compile_section(
    kind: Literal["resources", "prompts"], document: Data, watched: bool
) -> Section:
    """`watched`: the whole document is."""
    data = document.get(kind, {})
    either, both = (_either, _both) if kind == "resources" else (_named, _named)
    return Section(
        f"/{kind}",
        data.get("default", document["default"]) == "allow",
        _names(data.get("hide", ()), either),
        _names(data.get("deny", ()), either),
        _names(data.get("allow", ()), both),
        watched,
        _plan(_limits(kind, data, watched, side=False)),
        _plan(_limits(kind, data, watched, side=True)),
    )


def _limits(kind: str, data: Data, watched: bool, side: bool) -> Iterator[Limit]:
    for index, limit in enumerate(data.get("limits", ())):
        if (watched or limit.get("mode") == "watch") == side:
            compiled = compile_limit(limit, f"/{kind}/limits/{index}")
            yield compiled.watch() if side else compiled


def _plan(limits: Iterator[Limit]) -> Plan:
    kept = tuple(limits)
    return Plan(limits=kept, uses=still_uses(kept))


def _names(texts: Sequence[str], test: Callable[[Glob], Test]) -> Names:
    globs = [parse_glob(text) for text in texts]
    return Names(tuple((test(glob), Wild.ONE in glob.tokens) for glob in globs))


def _named(glob: Glob) -> Test:
    return glob.matches


def _either(glob: Glob) -> Test:
    return uri_glob(glob).either


def _both(glob: Glob) -> Test:
    return uri_glob(glob).both
