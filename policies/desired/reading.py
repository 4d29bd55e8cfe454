"""Reads a configuration file: its shape, its names, its documents; no database."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Role
from policies import granting
from policies.desired.wanted import (
    ConfigurationError,
    Wanted,
    WantedGrant,
    WantedMember,
    WantedOrganization,
    WantedPolicy,
    WantedServer,
)
from policies.document import DocumentError, parse
from policies.jsontext import scan
from policies.positions import Path

TEXT, LIST, OBJECT, FLAG = "a string", "a list", "an object", "true or false"
TYPES = {TEXT: str, LIST: list, OBJECT: dict, FLAG: bool}

FILE = {
    "organization": OBJECT,
    "members": LIST,
    "servers": LIST,
    "policies": LIST,
    "grants": LIST,
}
ORGANIZATION = {"slug": TEXT, "name": TEXT, "zone": TEXT}
MEMBER = {"email": TEXT, "role": TEXT}
SERVER = {"name": TEXT, "url": TEXT, "headers": OBJECT}
POLICY = {"name": TEXT, "server": TEXT, "document": OBJECT, "file": TEXT}
GRANT = {
    "label": TEXT,
    "member": TEXT,
    "server": TEXT,
    "policy": TEXT,
    "tags": LIST,
    "revoked": FLAG,
}


@dataclass
class Reader:
    """Collects problems with their places; `done` raises them all at once."""

    text: str
    folder: Folder
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        self.scanned = scan(self.text)
        self.report = self.scanned.report

    def done(self) -> None:
        if problems := self.scanned.problems():
            raise ConfigurationError(problems)

    def members(
        self,
        value: object,
        path: Path,
        keys: Mapping[str, str],
        needed: tuple[str, ...],
    ) -> dict[str, Any]:
        """The members that are right; what is not is reported."""
        if not isinstance(value, dict):
            self.report.at(path, "must be an object")
            return {}
        for key in needed:
            if key not in value:
                self.report.at(path, f"“{key}” is missing")
        return {
            key: member
            for key, member in value.items()
            if self._fits(member, (*path, key), keys)
        }

    def _fits(self, member: object, path: Path, keys: Mapping[str, str]) -> bool:
        key = str(path[-1])
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"; did you mean “{near[0]}”?" if near else ""
            self.report.at_key(path, f"unknown key {key!r}{hint}")
            return False
        if not isinstance(member, TYPES[keys[key]]):
            self.report.at(path, f"must be {keys[key]}")
            return False
        if member == "":
            self.report.at(path, "is empty")
            return False
        return True

    def each(self, whole: Mapping[str, Any], name: str) -> list[tuple[object, Path]]:
        return [(value, (name, at)) for at, value in enumerate(whole.get(name, ()))]

    def once(self, path: Path, seen: set[str], name: str) -> None:
        """Reports a name that stands twice in its list."""
        if name and name in seen:
            self.report.at(path, f"{name!r} is there twice")
        seen.add(name)


def read(text: str, folder: Folder, environment: Mapping[str, str]) -> Wanted:
    """`folder` is where `file` begins; `environment` holds the values of headers.

    Raises ConfigurationError.
    """
    reader = Reader(text, folder, environment)
    if reader.scanned.broken:
        reader.done()
    whole = reader.members(reader.scanned.data, (), FILE, ("organization",))
    wanted = Wanted(
        _organization(reader, whole.get("organization", {})),
        _members(reader, whole),
        _servers(reader, whole),
        _policies(reader, whole),
        _grants(reader, whole),
    )
    reader.done()
    return wanted


def _organization(reader: Reader, value: object) -> WantedOrganization:
    found = reader.members(value, ("organization",), ORGANIZATION, ("slug",))
    return WantedOrganization(**{"slug": ""} | found)


def _members(reader: Reader, whole: Mapping[str, Any]) -> tuple[WantedMember, ...]:
    members, seen = [], set[str]()
    for value, path in reader.each(whole, "members"):
        found = reader.members(value, path, MEMBER, ("email", "role"))
        email = found.get("email", "").strip().lower()
        if email:
            _check_email(reader, (*path, "email"), email)
            reader.once((*path, "email"), seen, email)
        if found.get("role", Role.OWNER) not in Role.values:
            roles = ", ".join(Role.values)
            reader.report.at((*path, "role"), f"is no role; the roles are {roles}")
        members.append(WantedMember(path, email, found.get("role", "")))
    return tuple(members)


def _check_email(reader: Reader, path: Path, email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        reader.report.at(path, "is no e-mail address")


def _servers(reader: Reader, whole: Mapping[str, Any]) -> tuple[WantedServer, ...]:
    servers, seen = [], set[str]()
    for value, path in reader.each(whole, "servers"):
        found = reader.members(value, path, SERVER, ("name", "url"))
        name = found.get("name", "")
        reader.once((*path, "name"), seen, name)
        headers = None
        if "headers" in found:
            headers = _headers(reader, (*path, "headers"), found["headers"])
        servers.append(WantedServer(path, name, found.get("url", ""), headers))
    return tuple(servers)


def _headers(reader: Reader, path: Path, given: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    for name, value in given.items():
        if isinstance(value, str):
            headers[name] = value
        else:
            headers[name] = _from_environment(reader, (*path, name), value)
    return headers


def _from_environment(reader: Reader, path: Path, value: object) -> str:
    found = reader.members(value, path, {"env": TEXT}, ("env",))
    variable = found.get("env")
    if variable and variable not in reader.environment:
        reader.report.at(path, f"the environment has no variable {variable}")
    return reader.environment.get(variable or "", "")


def _policies(reader: Reader, whole: Mapping[str, Any]) -> tuple[WantedPolicy, ...]:
    policies, seen = [], set[str]()
    for value, path in reader.each(whole, "policies"):
        found = reader.members(value, path, POLICY, ("name", "server"))
        name, server = found.get("name", ""), found.get("server", "")
        reader.once((*path, "name"), seen, name)
        if ("document" in found) == ("file" in found):
            reader.report.at(path, "needs either “document” or “file”")
            continue
        text = _document(reader, path, found)
        if text is not None:
            policies.append(WantedPolicy(path, name, server, text))
    return tuple(policies)


def _document(reader: Reader, path: Path, found: Mapping[str, Any]) -> str | None:
    if "file" in found:
        return _from_file(reader, (*path, "file"), found["file"])
    return _in_place(reader, (*path, "document"))


def _from_file(reader: Reader, path: Path, name: str) -> str | None:
    try:
        text = (reader.folder / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reader.report.at(path, f"cannot be read: {error}")
        return None
    try:
        parse(text)
    except DocumentError as error:
        for problem in error.problems:
            place = f"{name}:{problem.line}:{problem.column} {problem.pointer}"
            reader.report.at(path, f"{place} {problem.message}")
    return text


def _in_place(reader: Reader, path: Path) -> str | None:
    """The document as it is written in the file, its problems at their place there."""
    place = reader.scanned.places[path]
    written = reader.text[place.start : place.end]
    try:
        parse(written)
    except DocumentError as error:
        starts = _line_starts(written)
        for problem in error.problems:
            offset = place.start + starts[problem.line - 1] + problem.column - 1
            inner = (*path, *_steps(problem.pointer))
            reader.report.at_offset(offset, inner, problem.message)
    first, _, rest = written.partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}" if rest else written


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _steps(pointer: str) -> list[str]:
    steps = pointer.split("/")[1:]
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def _grants(reader: Reader, whole: Mapping[str, Any]) -> tuple[WantedGrant, ...]:
    grants, seen = [], set[str]()
    for value, path in reader.each(whole, "grants"):
        ended = isinstance(value, dict) and value.get("revoked") is True
        needed = ("label",) if ended else ("label", "member", "server")
        found = reader.members(value, path, GRANT, needed)
        reader.once((*path, "label"), seen, found.get("label", ""))
        for name in ("label", "tags"):
            _check_by(reader, (*path, name), found.get(name))
        if "tags" in found:
            found["tags"] = tuple(found["tags"])
        if "member" in found:
            found["member"] = found["member"].strip().lower()
        grants.append(WantedGrant(path, **{"label": ""} | found))
    return tuple(grants)


def _check_by(reader: Reader, path: Path, value: object) -> None:
    if value is None:
        return
    try:
        granting.CHECKS[str(path[-1])](value)
    except ValidationError as error:
        reader.report.at(path, error.messages[0])


def located(text: str, path: Path, message: str) -> ConfigurationError:
    """A problem that was found after reading, at its place in the file."""
    scanned = scan(text)
    scanned.report.at(path, message)
    return ConfigurationError(scanned.problems())
