"""`make proof`, or `python -m tests.proof [--only KEY] [--fresh] [--keep]`.

For each of the five servers with a published policy, and for HealthOmics, whose tool
the policies are about: installs it, bridges it to HTTP, registers it in a browser, and
tries through the gateway what its policy promises. One line a check:

    PASS    it was seen to hold
    FAIL    it does not, or could not be tried; the exit status is 1
    CANNOT  it cannot be run here, and why

Everything listens on loopback. The servers' only AWS is an emulator, their only way out
a proxy that refuses and remembers who asked.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.proof import promises
from tests.proof.agent import connected
from tests.proof.bridges import Bridge, bridged
from tests.proof.emulator import emulating
from tests.proof.environments import Environment, installed
from tests.proof.outside import Outside, refusing
from tests.proof.person import browsing
from tests.proof.proof import Proof
from tests.proof.report import Report
from tests.proof.seeds import HOME, SEEDS, TOOL, Seed
from tests.proof.stores import storing
from tests.proof.system import started
from tests.run.made import ROOT

MOST_SECONDS = 60 * 60
CLASSIFIED_SECONDS = 15
TOOLS_OF_THE_PROOF = ("mcp-proxy", "moto[server]")


class Ended(BaseException):
    """The time is over, or somebody ended it: no check may take it for its failure."""


def main(arguments: list[str]) -> int:
    options = parsed(arguments)
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, ended)
    signal.alarm(MOST_SECONDS)
    work = Path(tempfile.mkdtemp(prefix="policylayer-proof-"))
    report = Report(work)
    begun = time.monotonic()
    try:
        prove(options, work, report)
    except (Exception, Ended, KeyboardInterrupt) as error:  # noqa: BLE001 (it is said)
        report.look = None
        report.fail("the proof ran to its end", error)
    status = report.summary()
    print(f"in {time.monotonic() - begun:.0f} s")
    if status or options.keep:
        print(f"logs and tracebacks: {work}")
    else:
        shutil.rmtree(work)
    return status


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.proof", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    keys = [seed.key for seed in SEEDS]
    parser.add_argument(
        "--only", action="append", choices=keys, help="this server, with HealthOmics"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="install again what is kept from before"
    )
    parser.add_argument("--keep", action="store_true", help="keep all logs")
    return parser.parse_args(arguments)


def ended(number: int, _: object) -> None:
    late = f"not done within {MOST_SECONDS // 60} minutes"
    raise Ended(late if number == signal.SIGALRM else "it was ended")


def prove(options: argparse.Namespace, work: Path, report: Report) -> None:
    seeds = [seed for seed in SEEDS if seed.key in (options.only or [seed.key])]
    servers = [HOME, *seeds]
    report.head("Installed")
    wanted = [*TOOLS_OF_THE_PROOF, *(each.package for each in servers)]
    environments = installed(cache(), wanted, options.fresh)
    for environment in environments:
        report.note(environment.described())
    proxy, moto, *packages = environments
    with ExitStack() as stack:
        outside = stack.enter_context(refusing())
        emulator = stack.enter_context(emulating(moto, work))
        port = stack.enter_context(storing(work))
        system = stack.enter_context(started(work))
        person = stack.enter_context(browsing(system.address))
        report.look = lambda file: person.page.screenshot(path=file)
        store = f"redis://127.0.0.1:{port}/0"
        proof = Proof(report, system, person, emulator, store, work)
        report.head("Started, registered in the browser, listed and classified")
        with report.check("a person signs up"):
            person.sign_up(system.mailbox)
        env = emulator.environment() | outside.environment() | at_store(port)
        for server, package in zip(servers, packages, strict=True):
            start(stack, proof, server, proxy, package, env)
        promised(proof, seeds)
        stayed_here(proof, outside)


def cache() -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data").resolve() / "proof"


def at_store(port: int) -> dict[str, str]:
    return {"VALKEY_HOST": "127.0.0.1", "VALKEY_PORT": str(port)}


def start(
    stack: ExitStack,
    proof: Proof,
    server: Seed,
    proxy: Environment,
    package: Environment,
    env: dict[str, str],
) -> None:
    argv = [package.script(server.package), *server.options]
    listed: list[str] = []
    with proof.report.check(f"{server.key}: answers through the bridge") as said:
        bridge = stack.enter_context(bridged(proxy, argv, env, proof.work, server.key))
        with connected(bridge.url) as agent:
            listed = agent.tools()
        assert listed, "it has no tools"
        said.append(f"{len(listed)} tools")
    if listed:
        register(proof, server, bridge, listed)


def register(proof: Proof, server: Seed, bridge: Bridge, listed: list[str]) -> None:
    person = proof.person
    with proof.report.check(f"{server.key}: its page lists what it answers"):
        person.add_server(server.key, bridge.url)
        shown = [row.name for row in person.tools(server.key)]
        assert sorted(shown) == sorted(listed), set(shown) ^ set(listed)
        proof.bridges[server.key] = bridge
    if server.key in proof.bridges:
        classified(proof, server)


def classified(proof: Proof, server: Seed) -> None:
    person = proof.person
    with proof.report.check(f"{server.key}: each tool is classified") as said:
        deadline = time.monotonic() + CLASSIFIED_SECONDS
        rows = person.tools(server.key)
        while not all(row.classified for row in rows):
            unset = sum(not row.classified for row in rows)
            assert time.monotonic() < deadline, f"{unset} of {len(rows)} are not"
            time.sleep(1)
            rows = person.tools(server.key)
        counts = {row.category: 0 for row in rows}
        for row in rows:
            counts[row.category] += 1
        said += [f"{count} {category}" for category, count in sorted(counts.items())]
    if server is HOME:
        with proof.report.check(f"{server.key}: {TOOL} is Destructive, critical"):
            (row,) = [row for row in person.tools(server.key) if row.name == TOOL]
            assert (row.category, row.severity) == ("Destructive", "critical"), row


def promised(proof: Proof, seeds: list[Seed]) -> None:
    there = [seed for seed in seeds if seed.key in proof.bridges]
    if HOME.key in proof.bridges:
        proof.report.head(f"(a) Unchanged, before HealthOmics, which has {TOOL}")
        for seed in there:
            promises.before_healthomics(proof, seed)
        with connected(proof.bridges[HOME.key].url) as agent:
            said = " ".join(agent.call(TOOL, promises.BATCH).text.split())
        why = f"moto has no HealthOmics, and the server itself says {said}"
        proof.report.cannot(f"healthomics: {TOOL} truly run", why)
    proof.report.head("(b) About a real tool of its own, and what truly runs")
    for seed in there:
        promises.about_its_own_tool(proof, seed)
    proof.report.head("(c) Unchanged, on its own server, which has no such tool")
    for seed in there:
        promises.on_its_own_server(proof, seed)


def stayed_here(proof: Proof, outside: Outside) -> None:
    proof.report.head("Loopback only")
    with proof.report.check("no server asked for a host outside") as said:
        assert not outside.asked, f"asked for {sorted(set(outside.asked))}"
        requests = len(proof.emulator.requests())
        assert requests, "nor did any ask the emulator"
        said.append(f"the emulator answered {requests} requests")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
