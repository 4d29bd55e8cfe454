"""How clients write down the servers that they start: launchers, flags, places. Pure.

The browser is given these very tables (config-scan.js), so that both layers strike out
the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from accounts.secret_looks import SHAPES, UUID

# Where clients keep their servers; `*` is any key.
PLACES: tuple[tuple[str, ...], ...] = (
    ("mcpServers",),
    ("servers",),
    ("mcp", "servers"),
    ("mcp_servers",),
    ("context_servers",),
    ("projects", "*", "mcpServers"),
)
URLS = ("url", "serverUrl", "httpUrl", "uri")
MASK = "***"


class Launcher(NamedTuple):
    """`kind`: npm, pypi, docker, script or module, of what it starts. `words` are
    subcommands before it. After a flag in `takes` stands a value, after one in `names`
    the very thing that is started."""

    kind: str
    words: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


_NPM = ("-c", "--call", "--registry", "--cache", "--prefix", "--userconfig", "-w")
_UV = (
    *("--with", "--python", "-p", "-i", "--index"),
    *(f"--{index}-url" for index in ("index", "extra-index")),
    *("--default-index", "--with-editable", "--directory", "--project", "--env-file"),
)
_DOCKER = (
    *("-e", "--env", "-v", "--volume", "--name", "--network", "--net", "-p", "-u"),
    *("--publish", "--mount", "--env-file", "--user", "-w", "--workdir", "-h", "-l"),
    *("--entrypoint", "--platform", "--add-host", "--label", "-m", "--memory"),
    *("--cpus", "--pull", "--restart", "--gpus", "--hostname", "--log-driver", "--ipc"),
    *("--security-opt", "--cap-add", "--cap-drop", "--shm-size", "--ulimit", "--pid"),
    *("--device", "--tmpfs", "--dns", "-a", "--attach"),
)
_PACKAGE = ("-p", "--package")

LAUNCHERS: dict[str, Launcher] = {
    "npx": Launcher("npm", (), _NPM, _PACKAGE),
    "bunx": Launcher("npm", (), (), _PACKAGE),
    "pnpx": Launcher("npm", (), _NPM, _PACKAGE),
    "pnpm": Launcher("npm", ("dlx", "exec", "x"), _NPM, _PACKAGE),
    "yarn": Launcher("npm", ("dlx",), _NPM, _PACKAGE),
    "npm": Launcher("npm", ("exec", "x"), _NPM, _PACKAGE),
    "uvx": Launcher("pypi", (), _UV, ("--from",)),
    "uv": Launcher("pypi", ("tool", "run", "x"), _UV, ("--from", "-m", "--module")),
    "pipx": Launcher("pypi", ("run",), ("--python", "--pip-args"), ("--spec",)),
    "docker": Launcher("docker", ("container", "run"), _DOCKER),
    "podman": Launcher("docker", ("container", "run"), _DOCKER),
    "node": Launcher("script", (), ("-r", "--require", "--import", "--loader")),
    "bun": Launcher("script", ("run", "x")),
    "deno": Launcher("script", ("run",), ("-c", "--config")),
    "python": Launcher("script", (), ("-X", "-W"), ("-m",)),
    "python3": Launcher("script", (), ("-X", "-W"), ("-m",)),
    "py": Launcher("script", (), ("-X", "-W"), ("-m",)),
}
# What starts the next word: `cmd /c npx ...`, `env npx ...`.
WRAPPERS = ("cmd", "env", "sudo")
# Packages that only lead to a server elsewhere: its URL is what counts.
BRIDGES = ("mcp-remote", "mcp-proxy", "supergateway")

# What may stand for a thing that is started; all else is struck out.
SPECS: dict[str, str] = {
    "npm": r"(?:@[a-z0-9~._-]{1,100}/)?[A-Za-z0-9~._-]{1,200}"
    r"(?:@[A-Za-z0-9.^~*+_-]{1,40})?",
    "pypi": r"[A-Za-z0-9._-]{1,200}(?:\[[A-Za-z0-9,._-]{0,60}\])?"
    r"(?:(?:@|==|>=|~=)[A-Za-z0-9.*+!_-]{1,40})?",
    "docker": r"[a-z0-9][a-z0-9._-]*(?::[0-9]{1,5})?(?:/[a-z0-9._-]{1,100}){0,5}"
    r"(?::[A-Za-z0-9._-]{1,60})?(?:@sha256:[0-9a-f]{64})?",
    "script": r"[A-Za-z0-9@._/-]{1,300}",
}
COMMAND = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}"
FLAG = r"--[A-Za-z][A-Za-z0-9-]{0,39}|-[A-Za-z]{1,3}"
SEGMENT = r"[A-Za-z0-9._~@-]{1,60}"
HOST = r"[A-Za-z0-9-]{1,63}"
MODULE = r"[A-Za-z_][A-Za-z0-9_.]{0,199}"
LONGEST_NAME, MOST_ARGS, MOST_BYTES = 100, 100, 64 * 1024


def for_browser() -> dict[str, Any]:
    """The same as JSON; regular expressions as `[pattern, flags]`."""
    return {
        "places": PLACES,
        "urls": URLS,
        "mask": MASK,
        "launchers": {name: each._asdict() for name, each in LAUNCHERS.items()},
        "wrappers": WRAPPERS,
        "bridges": BRIDGES,
        "specs": SPECS,
        "command": COMMAND,
        "flag": FLAG,
        "segment": SEGMENT,
        "host": HOST,
        "module": MODULE,
        "most": {"name": LONGEST_NAME, "args": MOST_ARGS, "bytes": MOST_BYTES},
        "shapes": [_browser(each.pattern) for each in (*SHAPES, UUID)],
    }


def _browser(pattern: str) -> tuple[str, str]:
    """JavaScript has no `(?i)` inside a pattern."""
    return (pattern.removeprefix("(?i)"), "i" if pattern.startswith("(?i)") else "")
