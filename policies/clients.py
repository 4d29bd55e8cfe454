"""How each client is pointed at an endpoint: the one place that knows them.

`@NAME@`, `@ENDPOINT@` and `@TOKEN@` are filled in. Look at every client's own
documentation before CHECKED_ON is set to a later day.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.utils.text import slugify

CHECKED_ON = datetime.date(2026, 11, 21)
NO_TOKEN = "YOUR_TOKEN"
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Client:
    """`where` says what to do with `snippet`; without one it says why there is none."""

    key: str
    name: str
    where: str
    snippet: str = ""
    note: str = ""


CLIENTS = (
    Client(
        "claude-code",
        "Claude Code",
        "Run in a terminal, in the project that should use it.",
        """\
claude mcp add --transport http @NAME@ @ENDPOINT@ \\
  --header "Authorization: Bearer @TOKEN@"
""",
    ),
    Client(
        "claude",
        "Claude",
        "Connectors of Claude on the web, desktop and phone sign in by OAuth and can"
        " send no token, so none can be added for this endpoint yet. The desktop app"
        " reaches it through a local program, which needs Node.js: Settings, Developer,"
        " Edit Config.",
        """\
{
  "mcpServers": {
    "@NAME@": {
      "command": "npx",
      "args": ["-y", "mcp-remote", "@ENDPOINT@", "--header", "Authorization:${AUTH}"],
      "env": {"AUTH": "Bearer @TOKEN@"}
    }
  }
}
""",
    ),
    Client(
        "cursor",
        "Cursor",
        "In ~/.cursor/mcp.json, or .cursor/mcp.json of one project.",
        """\
{
  "mcpServers": {
    "@NAME@": {
      "url": "@ENDPOINT@",
      "headers": {"Authorization": "Bearer @TOKEN@"}
    }
  }
}
""",
    ),
    Client(
        "vs-code",
        "VS Code",
        "In .vscode/mcp.json. VS Code asks for the token once and keeps it itself.",
        """\
{
  "inputs": [
    {
      "type": "promptString",
      "id": "@NAME@-token",
      "description": "Token of @NAME@",
      "password": true
    }
  ],
  "servers": {
    "@NAME@": {
      "type": "http",
      "url": "@ENDPOINT@",
      "headers": {"Authorization": "Bearer ${input:@NAME@-token}"}
    }
  }
}
""",
    ),
    Client(
        "chatgpt",
        "ChatGPT",
        "ChatGPT signs in to MCP servers by OAuth and can send no token, so it cannot"
        " use this endpoint yet. It will, once grants are given by OAuth consent.",
    ),
    Client(
        "codex",
        "Codex",
        "In ~/.codex/config.toml. Codex reads the token from the environment: export"
        " POLICYLAYER_TOKEN before it starts.",
        """\
[mcp_servers.@NAME@]
url = "@ENDPOINT@"
bearer_token_env_var = "POLICYLAYER_TOKEN"
""",
    ),
    Client(
        "gemini-cli",
        "Gemini CLI",
        "In ~/.gemini/settings.json, or .gemini/settings.json of one project.",
        """\
{
  "mcpServers": {
    "@NAME@": {
      "httpUrl": "@ENDPOINT@",
      "headers": {"Authorization": "Bearer @TOKEN@"}
    }
  }
}
""",
    ),
    Client(
        "curl",
        "curl",
        "Lists the tools that this grant may see.",
        """\
curl @ENDPOINT@ \\
  -H 'Authorization: Bearer @TOKEN@' \\
  -H 'Content-Type: application/json' \\
  -H 'Accept: application/json, text/event-stream' \\
  -H 'MCP-Protocol-Version: 2026-07-28' \\
  -H 'Mcp-Method: tools/list' \\
  -d '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "curl", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {}}}}'
""",
    ),
)


@dataclass(frozen=True, slots=True)
class Instructions:
    client: Client
    snippet: str


def instructions(
    server_name: str, endpoint: str, token: str = NO_TOKEN
) -> list[Instructions]:
    """A server's name is what somebody typed: what stands in a shell or a file is made
    of letters, digits and hyphens only."""
    name = slugify(server_name)[:LONGEST_NAME].strip("-_") or "mcp"
    values = {"@NAME@": name, "@ENDPOINT@": endpoint, "@TOKEN@": token}
    return [Instructions(each, _filled(each.snippet, values)) for each in CLIENTS]


def _filled(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text.rstrip("\n")
