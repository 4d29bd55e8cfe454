"""The supervisor's rules on small processes: back-off, giving up, order of the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.run.made import ROOT

PROLOGUE = """
import os, sys
from pathlib import Path
from config.children import Plan
from config.run import datadir, process, supervisor as module
from config.run.supervisor import Stopped, Supervisor
from config.run.terminal import StartError

data_dir = Path(sys.argv[1])
datadir.open_data_dir(data_dir)
supervisor = Supervisor(data_dir, parent=None)

def alive():
    return [part.plan.name for part in supervisor._parts if part.alive()]

def plan(name, script, ready=lambda: True):
    return Plan(name=name, argv=["sh", "-c", script], env=dict(os.environ), ready=ready,
                cwd=str(data_dir))
"""


def run(script: str, data_dir: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + script, str(data_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_part_that_does_not_stay_up_ends_the_whole_with_its_reason(tmp_path):
    said = run(
        """
broken = plan("broken", "echo once >> starts; echo no such key; exit 3")
process.PAUSES = (0.05,) * 5
try:
    supervisor.start([(broken, 1), (plan("fine", "sleep 60"), 1)])
    supervisor.watch()
except StartError as error:
    print("ENDED", error)
supervisor.stop()
print("alive", alive())
""",
        tmp_path / "data",
    )
    assert (tmp_path / "data" / "starts").read_text().count("once") == 5
    assert said.count("broken ended with status 3; starting it again.") == 4
    assert "ENDED broken ended with status 3 and does not stay up" in said
    assert "no such key" in said.partition("ENDED")[2]
    assert "alive []" in said


def test_parts_end_in_order_and_a_deaf_one_is_killed(tmp_path):
    said = run(
        """
module.STOP_SECONDS = 0.5

def trapping(name, action):
    script = f"trap '{action}' TERM; echo up > {name}; while :; do sleep 0.05; done"
    return plan(name, script, (data_dir / name).exists)

supervisor.start([
    (trapping("last", "echo last >> ended; exit"), 9),
    (trapping("deaf", ""), 2),
    (trapping("first", "echo first >> ended; exit"), 1),
])
supervisor.stop()
print((data_dir / "ended").read_text().split(), "alive", alive())
""",
        tmp_path / "data",
    )
    assert said.strip() == "['first', 'last'] alive []"


def test_a_long_log_is_moved_away_while_its_part_runs(tmp_path):
    said = run(
        """
process.LOG_BYTES = 1000
chatty = plan("chatty", "while :; do echo 0123456789; sleep 0.001; done")
supervisor.start([(chatty, 1)])
part = supervisor._parts[0]
log, old = data_dir / "logs" / "chatty.log", data_dir / "logs" / "chatty.log.1"
while not old.exists():
    supervisor._turn(0.05)
    part.bound_log()
supervisor.stop()
print(old.read_text().startswith("0123456789"), chr(0) in log.read_text())
""",
        tmp_path / "data",
    )
    assert said.strip() == "True False"


def test_what_a_killed_supervisor_left_is_ended_and_nothing_else(tmp_path):
    ours, other = (subprocess.Popen(["sleep", "60"]) for _ in range(2))
    run(
        f"""
import signal, threading
datadir.remember(data_dir, {{"ours": {ours.pid}, "other": {other.pid}}})
text = (data_dir / "parts.json").read_text()
import json
known = json.loads(text)
known["other"][1] = "12345"  # as if the pid had been given to somebody else since
(data_dir / "parts.json").write_text(json.dumps(known))
datadir.end_left_over(data_dir, signal.SIGTERM)
""",
        tmp_path / "data",
    )
    assert ours.wait(5) == -15
    assert other.poll() is None
    other.kill()
    other.wait()
