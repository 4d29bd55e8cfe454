"""What a configuration file asks for, read and checked as far as text alone allows.

    {"organization": {"slug", "name"?, "zone"?},
     "members":  [{"email", "role"}],
     "servers":  [{"name", "url", "headers"?: {name: value or {"env": variable}}}],
     "policies": [{"name", "server", "document" or "file"}],
     "grants":   [{"label", "member"*, "server"*, "policy"?, "tags"?, "revoked"?}]}

Lists may be left out. * is not needed where `revoked` is true. What is left out is left
alone. Unknown keys, wrong types and names that come twice are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policies.positions import Path, Problem


class ConfigurationError(Exception):
    """Every problem found, in the order of the file; nothing was changed."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.pointer} {p.message}" for p in problems))


@dataclass(frozen=True)
class WantedOrganization:
    slug: str
    name: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class WantedMember:
    """`at` is the path of the object in the file, here and below."""

    at: Path
    email: str
    role: str


@dataclass(frozen=True)
class WantedServer:
    at: Path
    name: str
    url: str
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class WantedPolicy:
    """`text` is the document as it is written."""

    at: Path
    name: str
    server: str
    text: str


@dataclass(frozen=True)
class WantedGrant:
    at: Path
    label: str
    member: str = ""
    server: str = ""
    policy: str | None = None
    tags: tuple[str, ...] | None = None
    revoked: bool = False


@dataclass(frozen=True)
class Wanted:
    organization: WantedOrganization
    members: tuple[WantedMember, ...] = ()
    servers: tuple[WantedServer, ...] = ()
    policies: tuple[WantedPolicy, ...] = ()
    grants: tuple[WantedGrant, ...] = ()
