"""A made-up catalogue as large as is wanted, shaped like the real one.

Names are verbs and nouns in the four styles that servers use; few words are frequent
and most are rare, few publishers are large and most have one server. What a tool does
goes with its verb, as it does in truth: that is what a planner gets wrong.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from catalog.naming import publisher_name, slug, words_of

# Verb, how often, what it does, how bad that is.
VERBS = [
    ("get", 20, "Read", "low"),
    ("list", 16, "Read", "low"),
    ("search", 7, "Read", "low"),
    ("describe", 6, "Read", "low"),
    ("create", 11, "Write", "medium"),
    ("update", 9, "Write", "medium"),
    ("set", 4, "Write", "medium"),
    ("send", 3, "Write", "medium"),
    ("run", 4, "Execute", "high"),
    ("execute", 3, "Execute", "high"),
    ("invoke", 1, "Execute", "high"),
    ("delete", 6, "Destructive", "critical"),
    ("remove", 3, "Destructive", "critical"),
    ("cancel", 1, "Destructive", "high"),
    ("purge", 0.2, "Destructive", "critical"),
    ("refund", 0.2, "Financial", "critical"),
    ("pay", 0.1, "Financial", "critical"),
    ("ping", 0.5, "Other", "low"),
    ("manage", 2, "Other", "high"),
]
NOUNS = """
account alarm alert alias app artifact asset attachment balance bill board branch bucket
build calendar campaign card cart cell certificate channel chart chat charge check
client cluster column comment commit config connection contact container contract
conversion coupon credential customer dashboard database dataset deployment device
directory dispute document domain draft email endpoint entity environment event export
extension feature field file filter flag folder form function gateway goal graph group
guide history host image import incident index instance invitation invoice issue item
job key label layer ledger library license line link list location log mailbox member
memory message metric migration milestone model module monitor namespace network node
note notebook notification object offer option order organization package page partition
password payment payout permission person phone pipeline plan playlist policy pool port
position post price procedure product profile project prompt property provider query
queue quota quote record region registry release report repository request reservation
resource response result review role route row rule run sample schedule schema screen
script secret segment sequence server service session setting shape share sheet shipment
site snapshot source space spreadsheet stack stage statement stream subscription summary
table tag target task team template tenant test text thread ticket timeline token topic
trace transaction transfer trigger type unit update upload usage user value variable
version video view volume wallet warehouse webhook website widget window workflow zone
""".split()  # noqa: SIM905
PARAMETERS = NOUNS[::2] + ["id", "name", "limit", "cursor", "filter", "sql", "url"]
SYLLABLES = [a + b for a in "bcdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an")]
RARE_WORDS = 60_000
NOW = "2026-11-21T12:00:00Z"


@dataclass
class Server:
    number: int
    slug: str
    publisher: str
    nouns: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    severities: dict[str, int] = field(default_factory=dict)
    tools: int = 0

    def __post_init__(self) -> None:
        self.words = words_of(self.slug)


@dataclass(frozen=True)
class Tool:
    server: Server
    name: str
    slug: str
    category: str
    severity: str
    words: str
    fingerprint: str


class Catalogue:
    """The same for the same seed."""

    def __init__(self, tools: int, seed: int = 5) -> None:
        self._random = random.Random(seed)
        self._left = tools
        self.rare = [self._rare_word() for _ in range(min(RARE_WORDS, tools))]
        self.servers: list[Server] = []
        weights = [1 / (n + 5) for n in range(len(NOUNS))]
        self._nouns_so_far = [*itertools.accumulate(weights)]
        self._verbs_so_far = [*itertools.accumulate(often for _, often, _, _ in VERBS)]
        self._publishers = [f"{self._rare_word()}-labs" for _ in range(4_000)]

    def tools(self) -> Iterator[Tool]:
        for number in itertools.count(1):
            server = self._server(number)
            self.servers.append(server)
            for tool in self._tools_of(server):
                yield tool
                self._left -= 1
                if not self._left:
                    return

    def _rare_word(self) -> str:
        return "".join(self._random.choices(SYLLABLES, k=self._random.randint(2, 4)))

    def _server(self, number: int) -> Server:
        place = min(int(self._random.paretovariate(0.55)), len(self._publishers)) - 1
        publisher = self._publishers[place]
        topic = self._nouns(1) + [self._random.choice(self.rare)]
        name = slug(f"{publisher}-{'-'.join(topic)}-{number}-mcp-server")
        return Server(number, name, slug(publisher), topic)

    def _nouns(self, count: int) -> list[str]:
        return self._random.choices(NOUNS, cum_weights=self._nouns_so_far, k=count)

    def _tools_of(self, server: Server) -> Iterator[Tool]:
        wanted = min(2_000, 5 + int(self._random.lognormvariate(3.6, 1.2)))
        taken: set[str] = set()
        for _ in range(wanted):
            tool = self._tool(server)
            if tool.slug not in taken:
                taken.add(tool.slug)
                server.tools += 1
                count(server.counts, tool.category)
                count(server.severities, tool.severity)
                yield tool

    def _tool(self, server: Server) -> Tool:
        verb, _, category, severity = self._random.choices(
            VERBS, cum_weights=self._verbs_so_far
        )[0]
        nouns = self._nouns(self._random.randint(1, 3))
        if self._random.random() < 0.3:
            nouns.append(self._random.choice(self.rare))
        if self._random.random() < 0.03:
            category, severity = "Other", "high"
        name = styled(self._random.randrange(4), verb, nouns, server.nouns[0])
        parameters = self._random.choices(PARAMETERS, k=self._random.randint(0, 6))
        words = dict.fromkeys([*words_of(name), *parameters, *server.words])
        return Tool(
            server,
            name,
            slug(name),
            category,
            severity,
            " ".join(words),
            hashlib.sha256(f"{server.slug} {name}".encode()).hexdigest(),
        )


def styled(style: int, verb: str, nouns: list[str], service: str) -> str:
    words = [verb, *nouns]
    if style == 0:
        return "_".join(words)
    if style == 1:
        return "".join(map(str.capitalize, words))
    return "-".join(words) if style == 2 else "_".join([service, *words])


def count(counts: dict[str, int], word: str) -> None:
    counts[word] = counts.get(word, 0) + 1


# As large as real ones: a list that read them would be slow.
EVIDENCE = {"field": "name", "words": ["get"], "says": "Read", "why": "means Read"}
VERDICT = json.dumps({"confidence": 0.9, "evidence": [EVIDENCE] * 4, "signals": []})
PARAMETER = {"path": "id", "types": ["string"], "required": True, "stems": ["thing"]}
FACTS = json.dumps({"parameters": [PARAMETER] * 5, "annotations": {}})


def server_row(server: Server) -> tuple[object, ...]:
    return (
        *(server.number, server.slug, server.slug.replace("-", " ")),
        *(server.publisher, publisher_name(server.publisher)),
        *("pypi", server.slug, "", "active", "1.0.0", server.tools),
        *(json.dumps(server.counts), json.dumps(server.severities)),
        *("critical" if "critical" in server.severities else "high", "", False),
        *(NOW, NOW),
    )


SERVER_COLUMNS = (
    *("id", "slug", "name", "publisher", "publisher_name", "source_kind", "source"),
    *("registry_name", "status", "version", "tools_listed", "counts", "severities"),
    *("severity", "scan_error", "shipped", "created_at", "updated_at"),
)
TOOL_COLUMNS = (
    *("server_id", "slug", "name", "facts", "definition", "fingerprint", "category"),
    *("severity", "confidence", "verdict", "classifier", "publisher", "words"),
    *("listed", "first_seen", "last_seen"),
)


def tool_row(tool: Tool) -> tuple[object, ...]:
    return (
        *(tool.server.number, tool.slug, tool.name, FACTS, "", tool.fingerprint),
        *(tool.category, tool.severity, 0.9, VERDICT, "1"),
        *(tool.server.publisher, tool.words, True, NOW, NOW),
    )
