"""What the gateway costs, as ratios of one run: `make bench`.

Three ways to one fixed-answer MCP server: direct, through nginx proxy_pass, and
through the gateway with a policy (six conditions, argument validation, three
limits) and records on. Repeats are interleaved; medians are printed with their
spread. CPU is user + system time of the process, divided by its calls.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.system import ROOT, System, started

CPU_OF = {"direct": (), "nginx": ("nginx",), "gateway": ("gateway", "valkey")}
RECORDER = "recorder"


@dataclass
class Series:
    """One way's figures, one number a repeat."""

    rate: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)


def measure(system: System, way: str, connections: int, seconds: float) -> Series:
    port = system.ports["upstream" if way == "direct" else way]
    parts = [*CPU_OF[way], *([RECORDER] if way == "gateway" else [])]
    before = {part: system.cpu(part) for part in parts}
    command = [sys.executable, "-m", "benchmarks.load", str(port), system.path]
    command += [system.token, str(connections), str(seconds)]
    run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    figures = json.loads(run.stdout)
    if figures["failed"] or not figures["calls"]:
        raise SystemExit(f"{way}: {figures['failed']} of {figures['calls']} failed")
    calls = figures["calls"]
    return Series(
        [calls / figures["seconds"]],
        [figures["p50"]],
        [figures["p99"]],
        {part: [(system.cpu(part) - before[part]) / calls * 1e6] for part in parts},
    )


def add(series: Series, more: Series) -> None:
    series.rate += more.rate
    series.p50 += more.p50
    series.p99 += more.p99
    for part, values in more.cpu.items():
        series.cpu.setdefault(part, []).extend(values)


def spread(values: list[float], form: str = ".1f") -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


def report(connections: int, results: dict[str, Series]) -> None:
    print(f"\n{connections} connection(s); median (lowest-highest)")
    print(f"{'way':9}{'calls/s':>24}{'p50 ms':>22}{'p99 ms':>22}  CPU us a call")
    for way, series in results.items():
        cpu = ", ".join(f"{part} {spread(v)}" for part, v in series.cpu.items())
        print(
            f"{way:9}{spread(series.rate, '.0f'):>24}{spread(series.p50, '.2f'):>22}"
            f"{spread(series.p99, '.2f'):>22}  {cpu}"
        )
    if "nginx" in results:
        ratios = [
            mine / nginx
            for mine, nginx in zip(
                results["gateway"].cpu["gateway"],
                results["nginx"].cpu["nginx"],
                strict=True,
            )
        ]
        print(f"gateway CPU : nginx CPU a call = {spread(ratios, '.2f')}")


def compare(
    system: System, connections: int, seconds: float, repeats: int
) -> dict[str, Series]:
    ways = [way for way in CPU_OF if way != "nginx" or "nginx" in system.pids]
    for way in ways:
        measure(system, way, connections, 0.5)  # warm, not counted
    results = {way: Series() for way in ways}
    for _ in range(repeats):
        for way in ways:
            add(results[way], measure(system, way, connections, seconds))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 1])
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="policylayer-bench-") as folder,
        started(Path(folder)) as system,
    ):
        for connections in options.connections:
            report(
                connections,
                compare(system, connections, options.seconds, options.repeats),
            )


if __name__ == "__main__":
    main()
