"""`make run`: the whole system on one machine, until it is told to stop."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from config import embedded
from config.children import Plan
from config.run import datadir, migrations
from config.run.environment import environment, mailbox_line, write_run_file
from config.run.health import PROBLEM, READY
from config.run.options import ROOT, Options, check_port, read_options
from config.run.parts import CATALOG, MIGRATE, PARTS
from config.run.supervisor import Stopped, Supervisor
from config.run.terminal import StartError, say

SERVERS_STOP = 9


def main(arguments: list[str]) -> int:
    parent = os.getppid() if "--follow-parent" in arguments else None
    try:
        options = read_options(os.environ)
        datadir.open_data_dir(options.data_dir)
        with datadir.held(options.data_dir, options.base_url) as lock:
            datadir.end_left_over(options.data_dir, signal.SIGTERM)
            check_port(options.port)
            return supervise(options, Supervisor(options.data_dir, parent), lock)
    except (StartError, embedded.EmbeddedError) as error:
        say(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        return 130


def supervise(options: Options, supervisor: Supervisor, lock: Path) -> int:
    try:
        start(options, supervisor)
        supervisor.watch()
    except Stopped:
        say("\nStopping.")
    finally:
        datadir.say_stopping(lock)
        supervisor.stop()
        (options.data_dir / "run.json").unlink(missing_ok=True)
    return 0


def start(options: Options, supervisor: Supervisor) -> None:
    say(f"Data and logs: {options.data_dir}")
    database_url, redis_url = start_servers(options, supervisor)
    env = environment(options, os.environ, database_url, redis_url)
    write_run_file(options, env)
    migrate(options, supervisor, env)
    start_stage(1, supervisor, env)
    say(mailbox_line(options, env))
    say(f"Ready: {options.base_url}")
    start_stage(2, supervisor, env)


def start_servers(options: Options, supervisor: Supervisor) -> tuple[str, str]:
    """Their URLs. One that the environment names is used, not started."""
    embedded_ones = {}
    if not options.database_url:
        embedded_ones["database"] = embedded.plan_postgres(options.data_dir)
    if not options.redis_url:
        embedded_ones["redis"] = embedded.plan_valkey(options.data_dir)
    supervisor.start([(plan, SERVERS_STOP) for plan in embedded_ones.values()])
    urls = {name: plan.url for name, plan in embedded_ones.items()}
    return (
        urls.get("database", options.database_url),
        urls.get("redis", options.redis_url),
    )


def migrate(options: Options, supervisor: Supervisor, env: Mapping[str, str]) -> None:
    url = env["DATABASE_URL"]
    migrations.check_database(url)
    if migrations.are_applied(url, options.data_dir):
        return
    say("Bringing the database up to date.")
    supervisor.run(plan("migrate", MIGRATE, env, "running"))
    supervisor.run(plan("catalog", CATALOG, env, "running"))
    migrations.remember_applied(url, options.data_dir)


def start_stage(stage: int, supervisor: Supervisor, env: Mapping[str, str]) -> None:
    chosen = [part for part in PARTS if part.stage == stage]
    supervisor.start(
        [(plan(part.name, part.command, env, part.ready), part.stop) for part in chosen]
    )


def plan(
    name: str, command: tuple[str, ...], env: Mapping[str, str], ready: str
) -> Plan:
    words = {"HOST": "127.0.0.1", "PORT": env["PORT"], "DATA_DIR": env["DATA_DIR"]}
    return Plan(
        name=name,
        argv=[sys.executable, *(word.format_map(words) for word in command)],
        env=env,
        ready=READY[ready](env),
        problem=PROBLEM[ready](env) if ready in PROBLEM else str,
        cwd=str(ROOT),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
