"""Entries of clients, each with what is left of it. The browser is given the same.

What must never be left stands in `SECRETS`; each of them is in one entry or another.
"""

from __future__ import annotations

from typing import Any

# Put together here, so that no scanner of secrets takes this file for a leak.
GITHUB = "gh" + "p_0123456789abcdefghijklmnopqrstuvwxyz"
OPENAI = "s" + "k-proj-abcdefghijklmnop1234"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
AWS = "AK" + "IAIOSFODNN7EXAMPLE"
UUID = "550e8400-e29b-41d4-a716-446655440000"
SECRETS = (
    *(GITHUB, OPENAI, JWT, AWS, UUID, "hunter2", "NzQ5ZmQ0YjktODIz", "s3cr3t-user"),
    *("x1y2z3x1y2z3", "/Users/alice", "corp.internal", "tok-in-query", "pa55-in-env"),
)

LINES: list[tuple[dict[str, Any], list[str] | str]] = [
    (
        {"command": "npx", "args": ["-y", "@scope/pkg@1.2.3", "/Users/alice/Docs"]},
        ["npx", "-y", "@scope/pkg@1.2.3", "***"],
    ),
    (
        {
            "command": "C:\\Program Files\\nodejs\\npx.CMD",
            "args": ["-y", "some-mcp", "--token", "hunter2", "--url=https://hunter2"],
            "env": {"TOKEN": "pa55-in-env"},
        },
        ["npx", "-y", "some-mcp", "--token", "***", "--url", "***"],
    ),
    ({"command": "npx -y tavily-mcp@0.1"}, ["npx", "-y", "tavily-mcp@0.1"]),
    ({"command": "npx", "args": ["-y", GITHUB]}, ["npx", "-y", "***"]),
    ({"command": "npx", "args": ["-y", "pkg", "hunter2"]}, ["npx", "-y", "pkg", "***"]),
    (
        {"command": "npx", "args": ["--registry", "https://u:hunter2@r", "pkg"]},
        ["npx", "--registry", "***", "pkg"],
    ),
    (
        {"command": "npx", "args": ["--package=@scope/x", "run-it", OPENAI]},
        ["npx", "--package", "@scope/x", "***", "***"],
    ),
    (
        {"command": "cmd", "args": ["/c", "npx", "-y", "xero-mcp", f"--key={AWS}"]},
        ["npx", "-y", "xero-mcp", "--key", "***"],
    ),
    (
        {"command": "env", "args": ["TOKEN=hunter2", "uvx", "mcp-server-git"]},
        ["uvx", "mcp-server-git"],
    ),
    (
        {
            "command": "/opt/homebrew/bin/uvx",
            "args": ["--from", "awslabs.eks-mcp-server[x]==1.2", "eks", "--allow"],
        },
        ["uvx", "--from", "awslabs.eks-mcp-server[x]==1.2", "***", "--allow"],
    ),
    (
        {"command": "uvx", "args": ["--from", f"git+https://{GITHUB}@github.com/a/b"]},
        ["uvx", "--from", "***"],
    ),
    (
        {"command": "uv", "args": ["--directory", "/Users/alice/x", "run", "serve.py"]},
        ["uv", "--directory", "***", "run", "serve.py"],
    ),
    (
        {"command": "python3", "args": ["-m", "mcp_server_fetch", "--ua", "hunter2"]},
        ["python3", "-m", "mcp_server_fetch", "--ua", "***"],
    ),
    (
        {
            "command": "docker",
            "args": [
                *("run", "-i", "--rm", "-e", f"TOKEN={GITHUB}", "-v"),
                *("/Users/alice:/data", "ghcr.io/acme/mcp:0.3", JWT),
            ],
        },
        [
            *("docker", "run", "-i", "--rm", "-e", "***", "-v", "***"),
            *("ghcr.io/acme/mcp:0.3", "***"),
        ],
    ),
    (
        {
            "command": "npx",
            "args": [
                *("-y", "mcp-remote@latest"),
                f"https://s3cr3t-user:hunter2@mcp.acme.com/sse?k=tok-in-query#{JWT}",
                *("--header", f"Authorization: Bearer {OPENAI}"),
            ],
        },
        [
            *("npx", "-y", "mcp-remote@latest", "https://mcp.acme.com/sse"),
            *("--header", "***"),
        ],
    ),
    (
        {"command": "npx", "args": ["some-mcp", "https://api.corp.internal/x"]},
        ["npx", "some-mcp", "***"],
    ),
    (
        {
            "command": "node",
            "args": ["/Users/alice/node_modules/@scope/pkg/dist/index.js", "hunter2"],
        },
        ["node", "node_modules/@scope/pkg/dist/index.js", "***"],
    ),
    ({"command": "node", "args": ["/Users/alice/srv/main.js"]}, ["node", "main.js"]),
    (
        {"command": "/Users/alice/bin/my-server", "args": ["stdio", "-phunter2"]},
        ["my-server", "***", "--***"],
    ),
    ({"command": f"/opt/{GITHUB}", "args": []}, ["***"]),
    ({"command": "sh", "args": ["-c", "TOKEN=hunter2 serve"]}, ["sh", "-c", "***"]),
    ({"command": ["npx", "-y", "pkg", "hunter2"]}, ["npx", "-y", "pkg", "***"]),
    (
        {"command": {"path": "npx", "args": ["-y", "pkg", "hunter2"]}},
        ["npx", "-y", "pkg", "***"],
    ),
    ({"command": "npx", "args": [f"--{GITHUB}", "pkg"]}, ["npx", "--***", "pkg"]),
    (
        {
            "url": "https://mcp.acme.com/api/s/NzQ5ZmQ0YjktODIz/mcp?k=tok-in-query",
            "headers": {"Authorization": f"Bearer {JWT}"},
        },
        "https://mcp.acme.com/api/s/***/mcp",
    ),
    (
        {"serverUrl": f"https://s3cr3t-user:hunter2@acme.com:8443/v1/{UUID}/"},
        "https://acme.com:8443/v1/***/",
    ),
    ({"httpUrl": "https://x1y2z3x1y2z3.ngrok.app/mcp"}, "https://***.ngrok.app/mcp"),
    ({"url": "https://acme.com"}, "https://acme.com"),
    ({"url": "postgres://s3cr3t-user:hunter2@db/x"}, "***"),
    ({"url": "hunter2"}, "***"),
]
