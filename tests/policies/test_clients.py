"""What each client is told, held against files: a change must be seen to be meant.

`GOLDEN=write pytest tests/policies/test_clients.py` writes them anew.
"""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from pathlib import Path

from policies.clients import CHECKED_ON, CLIENTS, NO_TOKEN, instructions
from tests.cases import cases

GOLDEN = Path(__file__).parent / "data" / "clients"
ENDPOINT = "https://gateway.example.com/mcp/AbCdEfGhIjKlMnOpQrStUv"
TOKEN = "pl_" + "x" * 40 + "_" + "y" * 6


def snippets(name="Payments (EU)", token=TOKEN):
    found = instructions(name, ENDPOINT, token)
    return {each.client.key: each.snippet for each in found}


@cases("client", CLIENTS, ids=lambda client: client.key)
def test_the_snippet_is_the_one_that_was_checked(client):
    path = GOLDEN / f"{client.key}.txt"
    shown = f"{client.where}\n\n{snippets()[client.key]}\n"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(shown)
    assert shown == path.read_text()


def test_the_clients_are_those_of_the_product():
    assert [client.name for client in CLIENTS] == [
        "Claude Code",
        "Claude",
        "Cursor",
        "VS Code",
        "ChatGPT",
        "Codex",
        "Gemini CLI",
        "curl",
    ]
    assert CHECKED_ON.year >= 2026


def test_what_is_json_or_toml_parses_and_points_at_the_endpoint():
    told = snippets()
    for key in ("claude", "cursor", "vs-code", "gemini-cli"):
        json.loads(told[key])
        assert ENDPOINT in told[key]
    codex = tomllib.loads(told["codex"])
    assert codex["mcp_servers"]["payments-eu"]["url"] == ENDPOINT
    curl = shlex.split(told["curl"].replace("\\\n", ""))
    body = json.loads(curl[curl.index("-d") + 1])
    assert body["method"] == "tools/list"
    claude = shlex.split(told["claude-code"].replace("\\\n", ""))
    assert claude[:3] == ["claude", "mcp", "add"]
    assert f"Authorization: Bearer {TOKEN}" in claude


def test_clients_that_cannot_send_a_token_are_told_so():
    told = {client.key: client for client in CLIENTS}
    assert told["chatgpt"].snippet == ""
    assert "can send no token" in told["chatgpt"].where
    assert "can send no token" in told["claude"].where


def test_codex_and_vs_code_keep_the_token_out_of_their_files():
    told = snippets()
    assert TOKEN not in told["codex"] + told["vs-code"]


@cases(
    "name", ["", "'; rm -rf /", '"]\n[evil]', "$(id)", "名前", "x" * 128, "-", "`a`"]
)
def test_a_hostile_name_stands_in_no_shell_and_no_file(name):
    for key, text in snippets(name).items():
        plain = snippets("mcp")[key]
        assert len(text.splitlines()) == len(plain.splitlines())
        assert not set("$`;'\"\\[]{}") & (set(text) - set(plain))
        for line, expected in zip(text.splitlines(), plain.splitlines(), strict=True):
            assert line.split('"')[0::2] == expected.split('"')[0::2] or key in (
                "claude-code",
                "codex",
            )
    codex = tomllib.loads(snippets(name)["codex"])
    assert list(codex) == ["mcp_servers"]
    assert len(codex["mcp_servers"]) == 1


def test_without_a_token_its_place_is_shown():
    assert NO_TOKEN in snippets(token=NO_TOKEN)["cursor"]
