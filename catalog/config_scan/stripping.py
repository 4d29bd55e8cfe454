"""Taking whatever may be a secret out of a server's entry. Pure.

By what is known to be needed, not by what is known to be secret: the program, the
package, image or script that it starts, names of flags, and a URL without user, query
and fragment. Values of `env` and `headers`, and all other words, are never kept; what
is kept and looks like a key is struck out as well. Doing it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from accounts.secret_looks import UUID, looks_secret
from catalog.config_scan.tables import (
    BRIDGES,
    COMMAND,
    FLAG,
    HOST,
    LONGEST_NAME,
    MASK,
    MODULE,
    MOST_ARGS,
    SEGMENT,
    SPECS,
    URLS,
)
from catalog.config_scan.walking import Line, Word, program, walk

LONGEST_URL = 500


class Stripped(NamedTuple):
    """One server of a configuration, without anything that may be a secret."""

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    url: str = ""
    off: bool = False

    def as_json(self) -> dict[str, Any]:
        return self._asdict()


def strip(name: str, entry: Mapping[str, Any]) -> Stripped:
    """`entry` as clients write it; whatever is of another type counts as absent."""
    command, args = _command(entry)
    url = next((entry[key] for key in URLS if isinstance(entry.get(key), str)), "")
    off = entry.get("disabled") is True or entry.get("enabled") is False
    bare = Stripped(_name(name), off=off or entry.get("off") is True)
    if command:
        line = walk(command, args[:MOST_ARGS])
        return bare._replace(command=_program(line.command), args=_words(line))
    return bare._replace(url=strip_url(url)) if url else bare


def _command(entry: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Zed nests it, and OpenCode writes one list."""
    command: Any = entry.get("command")
    args: Any = entry.get("args")
    if isinstance(command, Mapping):
        command, args = command.get("path"), command.get("args")
    if isinstance(command, list):
        command, args = next(iter(command), ""), command[1:]
    listed = args if isinstance(args, list | tuple) else []
    said = [str(arg) for arg in listed if isinstance(arg, str | int | float)]
    return (command.strip(), said) if isinstance(command, str) else ("", said)


def _name(name: str) -> str:
    """A name stands on the page: cut, and never a key that was pasted as one."""
    return MASK if looks_key(name) else name[:LONGEST_NAME]


def _program(command: str) -> str:
    fits = re.fullmatch(COMMAND, command) and not looks_key(command)
    return command if fits else MASK


def _words(line: Line) -> tuple[str, ...]:
    bridge = bare_name(line.target) in BRIDGES or line.command in BRIDGES
    return tuple(_word(word, line.kind, bridge) for word in line.words)


def _word(word: Word, kind: str, bridge: bool) -> str:
    role, text = word
    if role == "word":
        return text
    if role == "flag":
        fits = re.fullmatch(FLAG, text.partition("=")[0]) and not looks_key(text)
        return text.partition("=")[0] if fits else f"--{MASK}"
    if role == "target":
        return strip_target(text, kind)
    if bridge and text.startswith(("http://", "https://")):
        return strip_url(text)
    return MASK


def strip_target(text: str, kind: str) -> str:
    if kind == "script":
        text = _script(text)
    spec = MODULE if kind == "module" else SPECS[kind]
    if not re.fullmatch(spec, text):
        return MASK
    shown = text.partition("@sha256:")[0]
    parts = re.split(r"[/@:\[\]=]", shown)
    return MASK if any(looks_key(part) for part in parts) else shown


def _script(path: str) -> str:
    """Its package where a path leads through one, else the file's name alone: folders
    name people."""
    plain = path.replace("\\", "/")
    _, inside, package = plain.rpartition("node_modules/")
    return f"node_modules/{package}" if inside else program(plain)


def bare_name(spec: str) -> str:
    """`@scope/name@1.2` is `@scope/name`; `name[extra]==1` is `name`."""
    return re.split(r"(?<!^)@|==|>=|~=|\[", spec, maxsplit=1)[0]


def strip_url(text: str) -> str:
    """Scheme, host, port and path; the rest, and what looks like a key in it, is not
    kept. What is no http URL becomes the mask."""
    try:
        parts = urlsplit(text[:LONGEST_URL])
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return MASK
    if parts.scheme not in {"http", "https"} or not host:
        return MASK
    labels = [_part(label, HOST) for label in host.split(".")]
    place = ".".join(labels) + (f":{port}" if port else "")
    path = "/".join(_part(part, SEGMENT) if part else "" for part in _path(parts.path))
    return f"{parts.scheme}://{place}{path}"


def _path(path: str) -> list[str]:
    return path.split("/")[:20]


def _part(text: str, spec: str) -> str:
    return text if re.fullmatch(spec, text) and not looks_key(text) else MASK


def looks_key(text: str) -> bool:
    """Stricter than in mails: a UUID in an address often opens it."""
    return looks_secret(text) or UUID.search(text) is not None or _mixed(text)


def _mixed(text: str) -> bool:
    """Long, with digits spread among letters: a key, whatever its alphabet."""
    return any(
        len(run) >= 12 and len(re.findall(r"[0-9]+", run)) >= 3
        for run in re.findall(r"[A-Za-z0-9]+", text)
    )
