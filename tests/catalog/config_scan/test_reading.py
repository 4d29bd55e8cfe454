"""From pasted text to servers: the clients' dialects, and errors with their places."""

from __future__ import annotations

import contextlib
import time

import pytest

from catalog.config_scan.reading import Unreadable, blanked, read
from catalog.config_scan.tables import MOST_BYTES
from catalog.config_scan.things import Thing, thing_of
from tests.cases import cases

ENTRY = '{"command": "npx", "args": ["-y", "pkg"]}'


def names(text: str) -> list[str]:
    return [server.name for server in read(text)]


@cases(
    "text",
    [
        f'{{"mcpServers": {{"a": {ENTRY}}}}}',
        f'{{"servers": {{"a": {ENTRY}}}, "inputs": [{{"id": "key"}}]}}',
        f'{{"mcp": {{"servers": {{"a": {ENTRY}}}}}}}',
        f'{{"context_servers": {{"a": {ENTRY}}}}}',
        f'{{"projects": {{"/home/x": {{"mcpServers": {{"a": {ENTRY}}}}}}}}}',
        f'{{"a": {ENTRY}}}',
        f'// mine\n{{"mcpServers": {{"a": {ENTRY},}}, /* , }} */ }}\n// end',
        '[mcp_servers.a]\ncommand = "npx"\nargs = ["-y", "pkg"]\n'
        '[mcp_servers.a.env]\nTOKEN = "x"\n',
        '# codex\nmodel = "x"\n[mcp_servers]\na = {command = "npx", args = ["pkg"]}\n',
    ],
)
def test_every_client_is_understood(text):
    [server] = read(text)
    assert (server.name, server.command) == ("a", "npx")
    assert thing_of(server) == Thing("npm", "pkg")


@cases(
    ("entry", "thing"),
    [
        ('{"command": "uvx", "args": ["a.b-c@1.0"]}', Thing("pypi", "a.b-c", "1.0")),
        ('{"command": "uvx", "args": ["a[x]==2"]}', Thing("pypi", "a", "2")),
        ('{"command": "python", "args": ["-m", "a_b.c"]}', Thing("pypi", "a-b")),
        ('{"command": "npx", "args": ["@a/b@1"]}', Thing("npm", "@a/b", "1")),
        (
            '{"command": "node", "args": ["/x/node_modules/@a/b/i.js"]}',
            Thing("npm", "@a/b"),
        ),
        (
            '{"command": "docker", "args": ["run", "ghcr.io/a/b:2"]}',
            Thing("docker", "ghcr.io/a/b", "2"),
        ),
        ('{"url": "https://a.com/mcp"}', Thing("url", "https://a.com/mcp")),
        (
            '{"command": "npx", "args": ["mcp-remote", "https://a.com/mcp"]}',
            Thing("url", "https://a.com/mcp"),
        ),
        ('{"command": "/usr/bin/mcp-git"}', Thing("program", "mcp-git")),
        ('{"command": "npx", "args": ["-y"]}', Thing("npm", "")),
    ],
)
def test_what_an_entry_starts(entry, thing):
    [server] = read(f'{{"mcpServers": {{"a": {entry}}}}}')
    assert thing_of(server) == thing


def test_order_and_what_is_switched_off():
    text = (
        f'{{"mcpServers": {{"b": {ENTRY}, "a": {{"command": "x", "disabled": true}},'
        ' "c": {"command": "x", "enabled": false}}}'
    )
    assert [(s.name, s.off) for s in read(text)] == [
        ("b", False),
        ("a", True),
        ("c", True),
    ]


@cases(
    ("text", "line", "column"),
    [
        ('{\n  "mcpServers": {"a": nope}\n}', 2, 23),
        ('{"mcpServers": {"a": {"command": "x"}, "a": 1}}', 1, 40),
        ('{"a": 1\n', 2, 1),
        ('{"mcpServers": {}} hunter2', 1, 20),
        ("a = = 1", 1, 5),
    ],
)
def test_errors_have_a_place_and_quote_nothing(text, line, column):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    for word in ("nope", "hunter2", '"a"'):
        assert word not in str(caught.value)


@cases("text", ["", " \n", "{}", '{"mcpServers": {}}', "x = 1"])
def test_a_text_without_servers_is_told_so(text):
    with pytest.raises(Unreadable):
        read(text)


def test_too_large_and_too_many():
    with pytest.raises(Unreadable, match="64 KiB"):
        read(" " * (MOST_BYTES + 1))
    many = ",".join(f'"s{n}": {{"url": "https://a.com"}}' for n in range(101))
    with pytest.raises(Unreadable, match="At most 100"):
        read(f"{{{many}}}")


def test_blanking_moves_nothing():
    text = '{"a": "// no, }", /* x\ny */ "b": [1, 2,], } // end'
    shown = blanked(text)
    assert len(shown) == len(text)
    assert '"// no, }"' in shown and "x" not in shown
    assert shown.replace(" ", "").replace("\n", "") == '{"a":"//no,}","b":[1,2]}'


@cases(
    "piece",
    ['{"a":"' + '\\"' * 25_000, "{" + "/* " * 20_000, "{" + ", " * 30_000]
    + ["[" * 60_000, "x=" + "[" * 60_000, '{"a":' * 12_000, "{/" + "/*" * 30_000]
    + ['{"a": "' + "a1" * 30_000 + '"}', '{"url": "' + "A" * 60_000 + '"}']
    + ['{"command": "' + "a b " * 15_000 + '"}', "{" + '"' * 60_000],
)
def test_the_worst_text_takes_no_time(piece):
    begun = time.perf_counter()
    with contextlib.suppress(Unreadable):
        read(piece[:MOST_BYTES])
    assert time.perf_counter() - begun < 1
