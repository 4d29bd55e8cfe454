"""What one documented attack pattern holds. Pure.

Texts are the catalogue's own; a source is where others documented the pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# What a rule does about it: ends it, makes it smaller; the gateway ends it without one;
# or it happens where the gateway is not.
Reach = Literal["stops", "narrows", "built in", "beyond"]


@dataclass(frozen=True, slots=True)
class Source:
    """`title` says who and what; `when` is a year, month or day; `identifier` such as
    a CVE number. Of `when` and `identifier` one is there; `url` where it is known."""

    title: str
    when: str = ""
    identifier: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`line`: one sentence. `happens`: paragraphs. `needs`: what an attacker must have.
    `categories` and `signals`: of the tools that it abuses.

    `policy` is a whole document that carries tests of its own; `does` says what it
    does. `also` is what else of PolicyLayer helps, `left` what none of it does.
    """

    slug: str
    name: str
    line: str
    happens: tuple[str, ...]
    needs: tuple[str, ...]
    categories: tuple[str, ...]
    signals: tuple[str, ...]
    reach: Reach
    does: str
    also: tuple[str, ...]
    left: str
    sources: tuple[Source, ...]
    policy: Mapping[str, Any] | None = None


def cve(number: str, title: str, when: str = "") -> Source:
    """`number` as in `2025-6514`."""
    identifier = f"CVE-{number}"
    url = f"https://nvd.nist.gov/vuln/detail/{identifier}"
    return Source(title, when, identifier, url)


def arxiv(number: str, title: str) -> Source:
    return Source(
        title, f"20{number[:2]}", f"arXiv:{number}", f"https://arxiv.org/abs/{number}"
    )


def owasp(number: str) -> Source:
    """`number` as in `03`."""
    return Source(
        "OWASP, MCP Top 10",
        "2025",
        f"MCP{number}",
        "https://github.com/OWASP/www-project-mcp-top-10",
    )


SPECIFICATION = "https://modelcontextprotocol.io/specification/2026-07-28"
BEST_PRACTICES = Source(
    "Model Context Protocol, security best practices",
    "2026-07-28",
    url="https://modelcontextprotocol.io/docs/2026-07-28/tutorials/security/"
    "security_best_practices",
)
EXPERIMENTS = Source(
    "dreadnode, attacks on MCP as test cases",
    identifier="dreadnode/sdk",
    url="https://github.com/dreadnode/sdk",
)
INVARIANT = Source(
    "Invariant Labs, notification of tool poisoning",
    "2025-04-01",
    url="https://invariantlabs.ai/blog/"
    "mcp-security-notification-tool-poisoning-attacks",
)
CYBERARK = Source(
    "CyberArk, research on poisoned schemas and outputs",
    "2025",
    url="https://www.cyberark.com/resources/threat-research-blog/"
    "poison-everywhere-no-output-from-your-mcp-server-is-safe",
)
TRAIL_OF_BITS = Source(
    "Trail of Bits, research on attacks through MCP",
    "2025-04",
    url="https://www.trailofbits.com/mcp/",
)
