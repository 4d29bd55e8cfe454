"""What each part is told by its environment; names as in docs/operating.md."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from config.env import broker
from config.run import datadir
from config.run.options import HOST, Options, own_ports
from config.run.parts import VARIABLES

HEARTBEAT = "recorder.heartbeat"


def environment(
    options: Options, given: Mapping[str, str], database_url: str, redis_url: str
) -> dict[str, str]:
    """What was set by hand stays; the rest is filled in for the embedded default."""
    data_dir, secrets = options.data_dir, datadir.make_secrets(options.data_dir)
    sandbox = datadir.sandbox_port(data_dir, options.sandbox_port)
    ours = {
        "DATA_DIR": str(data_dir),
        "PORT": str(options.port),
        "BASE_URL": options.base_url,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        # Celery reads this variable by itself, past our settings.
        "CELERY_BROKER_URL": broker(given.get("CELERY_BROKER_URL") or redis_url),
        "OWN_PORTS": own_ports(options),
        "SANDBOX_URL": f"http://{HOST}:{sandbox}/mcp",
        "SANDBOX_PORT": str(sandbox),
        "RECORDER_HEARTBEAT": str(data_dir / HEARTBEAT),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
    }
    defaults = {
        "ALLOW_PRIVATE_UPSTREAMS": "1",
        **_secret_files(options, given, secrets),
    }
    return {**given, **{k: given.get(k) or v for k, v in defaults.items()}, **ours}


def _secret_files(
    options: Options, given: Mapping[str, str], secrets: Mapping[str, Path]
) -> dict[str, str]:
    files = {
        "SECRET_KEY": secrets["secret_key"],
        "ENCRYPTION_KEYS": secrets["encryption_keys.json"],
        "MAILBOX_SECRET": secrets["mailbox_secret"],
    }
    if options.email_url:
        del files["MAILBOX_SECRET"]
    return {f"{name}_FILE": str(at) for name, at in files.items() if name not in given}


def write_run_file(options: Options, env: Mapping[str, str]) -> None:
    """Lets `manage.py` commands find a running system by its DATA_DIR."""
    known = {name: env[name] for name in VARIABLES if name in env}
    datadir.write_private(options.data_dir / "run.json", json.dumps(known, indent=1))


def mailbox_line(options: Options, env: Mapping[str, str]) -> str:
    if options.email_url:
        return "Mailbox: none; mail goes out by EMAIL_URL"
    secret = env.get("MAILBOX_SECRET") or Path(env["MAILBOX_SECRET_FILE"]).read_text()
    return f"Mailbox: {options.base_url}/mailbox/{quote(secret.strip())}/"
