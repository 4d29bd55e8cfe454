"""The parts of the system, each with its command: one literal table.

`make run` starts them as they stand here; docker-compose.yml says the same with
containers, and a test holds the two together. Words in braces are filled in by
config/run/environment.py or the compose file's own values.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    name: str
    command: tuple[str, ...]  # what the interpreter of the environment is given
    ready: Literal["web", "recorder", "sandbox", "running"]
    stage: int  # started when the stage before is ready; "Ready" follows the first
    stop: int  # asked to stop when all with a lower number have stopped


UVICORN = (
    *(
        "-m",
        "uvicorn",
        "config.asgi:application",
        "--host",
        "{HOST}",
        "--port",
        "{PORT}",
    ),
    *("--loop", "uvloop", "--http", "gateway.protocol:Protocol"),
    *("--ws", "none", "--lifespan", "on"),
    *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--timeout-graceful-shutdown", "5"),
)
# Checks would load all pages, as with migrations below; a worker loads them for its
# first mail.
WORKER = (
    *("-m", "celery", "-A", "config", "--skip-checks", "worker"),
    *("--concurrency", "2", "--loglevel", "WARNING"),
)
BEAT = (
    *("-m", "celery", "-A", "config.beat", "--skip-checks", "beat"),
    *("--schedule", "{DATA_DIR}/beat", "--pidfile", ""),
)

PARTS = (
    Part("web", UVICORN, ready="web", stage=1, stop=1),
    Part("recorder", ("manage.py", "record"), ready="recorder", stage=1, stop=2),
    Part("sandbox", ("-m", "servers.sandbox"), ready="sandbox", stage=1, stop=1),
    Part("worker", WORKER, ready="running", stage=2, stop=1),
    Part("beat", BEAT, ready="running", stage=2, stop=1),
)
# Checks would load all pages, which migrations have none of.
MIGRATE = ("manage.py", "migrate", "--no-input", "--verbosity", "1", "--skip-checks")
CATALOG = ("manage.py", "catalog_load")

# Every variable that `make run` gives its parts, beside what was set for itself.
VARIABLES = (
    "DATA_DIR",
    "PORT",
    "BASE_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "SECRET_KEY_FILE",
    "ENCRYPTION_KEYS_FILE",
    "MAILBOX_SECRET_FILE",
    "ALLOW_PRIVATE_UPSTREAMS",
    "OWN_PORTS",
    "SANDBOX_URL",
    "SANDBOX_PORT",
    "RECORDER_HEARTBEAT",
)
