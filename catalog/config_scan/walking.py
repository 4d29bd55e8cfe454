"""Which word of a command line is what. Pure.

    uvx --from awslabs.x-mcp-server@latest x --token t
        flag  target                         rest flag rest

The browser walks the same way (config-scan.js); a test gives both the same lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from catalog.config_scan.tables import LAUNCHERS, WRAPPERS, Launcher

EXECUTABLE = (".exe", ".cmd", ".bat", ".ps1")


class Word(NamedTuple):
    """`role`: flag, value, word (a subcommand), target or rest."""

    role: str
    text: str


class Line(NamedTuple):
    """`kind` of the target: npm, pypi, docker, script, module or program."""

    command: str
    kind: str
    words: tuple[Word, ...]

    @property
    def target(self) -> str:
        return next((word.text for word in self.words if word.role == "target"), "")


def walk(command: str, args: Sequence[str]) -> Line:
    # A path may hold spaces; whatever else does is a whole line.
    whole = "/" in command or "\\" in command
    words = [command] if whole else command.split()
    name, rest = _unwrapped([*(words or [""]), *args])
    launcher = LAUNCHERS.get(name)
    if launcher is None:
        return Line(name, "program", tuple(_plain(rest)))
    return _launched(name, launcher, rest)


def program(command: str) -> str:
    """`C:\\tools\\npx.CMD` and `/usr/bin/npx` are `npx`."""
    name = command.replace("\\", "/").rpartition("/")[2]
    for ending in EXECUTABLE:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name if name not in {n.upper() for n in LAUNCHERS} else name.lower()


def _unwrapped(words: list[str]) -> tuple[str, list[str]]:
    name, rest = program(words[0]), words[1:]
    while name.lower() in WRAPPERS and rest:
        skipped = 0
        while skipped < len(rest) and (
            rest[skipped].startswith(("/", "-")) or "=" in rest[skipped]
        ):
            skipped += 1
        if skipped == len(rest):
            break
        name, rest = program(rest[skipped]), rest[skipped + 1 :]
    return name, rest


def _plain(args: Sequence[str]) -> list[Word]:
    return [Word("flag" if arg.startswith("-") else "rest", arg) for arg in args]


def _launched(name: str, launcher: Launcher, args: Sequence[str]) -> Line:
    kind, words, role = launcher.kind, list[Word](), ""
    found = False
    for arg in args:
        if role:
            words.append(Word(role, arg))
            found, role = found or role == "target", ""
        elif arg.startswith("-"):
            flag, equals, value = arg.partition("=")
            words.append(Word("flag", flag))
            said = _after(launcher, flag, found)
            if said == "target" and flag in {"-m", "--module"}:
                kind = "module"
            if equals:
                words.append(Word(said or "value", value))
                found = found or said == "target"
            else:
                role = said
        elif not found and arg in launcher.words:
            words.append(Word("word", arg))
        else:
            words.append(Word("rest" if found else "target", arg))
            found = True
    return Line(name, kind, tuple(words))


def _after(launcher: Launcher, flag: str, found: bool) -> str:
    """What the word after this flag is; nothing where the flag stands alone."""
    if found:
        return ""
    if flag in launcher.names:
        return "target"
    return "value" if flag in launcher.takes else ""
