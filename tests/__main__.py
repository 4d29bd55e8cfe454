"""`make test`: sees to Chromium and Node.js, then runs everything.

In parallel and in random order; a failing order is repeated with the seed that pytest
prints: `make test ARGS="-p randomly -p xdist -n 0 -p no:cacheprovider ..."`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The first is headless alone, and costs a third less.
CHROMIUMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
NODE_MAJOR = 20


def main(arguments: list[str]) -> None:
    # Dozens of processes import the same modules: each would compile them anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    left_out = [*without_browser(), *without_node()]
    # Three on the smallest machine: tests wait for servers for a third of their time.
    workers = str(max(3, min(6, (os.cpu_count() or 2) // 2)))
    # Without reordering: tests/conftest.py says which come first.
    pytest = [sys.executable, "-m", "pytest", "-n", workers, "--dist", "loadgroup"]
    pytest += ["--no-loadscope-reorder", "-m", " and ".join(left_out)]
    if "not browser" in left_out and not arguments:
        # What is not run need not be collected: that takes each worker seconds.
        pytest += ["--ignore=tests/browser"]
    sys.stdout.flush()
    with subprocess.Popen([sys.executable, "-m", "tests.compiling"]):
        code = subprocess.run([*pytest, *arguments]).returncode
    sys.exit(code)


def without_browser() -> list[str]:
    if os.environ.get("SKIP_BROWSER") == "1":
        return ["not browser"]
    found = os.environ.get("CHROMIUM") or next(filter(None, map(which, CHROMIUMS)), "")
    if not found:
        stop(
            "NO CHROMIUM IS INSTALLED: the browser tests cannot run.",
            "Install it (Debian: chromium-headless-shell), name it in CHROMIUM, or",
            "leave those tests out with SKIP_BROWSER=1.",
        )
    os.environ["CHROMIUM"] = found
    return []


def without_node() -> list[str]:
    if os.environ.get("SKIP_NODE") == "1":
        return ["not node"]
    if node_major() < NODE_MAJOR or not which("npm"):
        stop(
            f"NO NODE.JS {NODE_MAJOR}+ WITH NPM: tests against Node.js cannot run.",
            "Install it, or leave those tests out with SKIP_NODE=1.",
        )
    install_packages()
    return []


def node_major() -> int:
    node = which("node")
    if not node:
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True)
    found = re.match(r"v(\d+)", said.stdout)
    return int(found[1]) if found else 0


def install_packages() -> None:
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Installing the tests' Node.js packages", flush=True)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        stop("npm ci failed in tests/; SKIP_NODE=1 leaves those tests out.")
    stamp.write_text(wanted)


def which(name: str) -> str:
    return shutil.which(name) or ""


def stop(*lines: str) -> None:
    rule = "!" * max(map(len, lines))
    sys.exit("\n".join(("", rule, *lines, rule, "")))


if __name__ == "__main__":
    main(sys.argv[1:])
