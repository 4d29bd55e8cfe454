"""Starts one real Postgres and one real Valkey for a test run.

Loaded with `-p tests.plugin`, before Django reads its settings. Workers of
pytest-xdist inherit the servers by environment; each has a database of its own
(pytest-django) and a Valkey database number of its own.
"""

from __future__ import annotations

import atexit
import base64
import gc
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

TEST_KEY = base64.b64encode(bytes(range(32))).decode()
TEST_SETTINGS = {
    "SECRET_KEY": "only-for-tests-" + "x" * 40,
    "ENCRYPTION_KEYS": json.dumps({"current": "k1", "keys": {"k1": TEST_KEY}}),
    "MAILBOX_SECRET": "test-mailbox-secret",
    "ALLOW_PRIVATE_UPSTREAMS": "1",
    "PORT": "8000",
}


def _start_servers() -> None:
    from config.embedded import erase, start_postgres, start_valkey

    data_dir = Path(tempfile.mkdtemp(prefix="policylayer-test-"))
    postgres = start_postgres(data_dir, durable=False)
    valkey = start_valkey(data_dir)

    def stop() -> None:
        valkey.stop()
        postgres.stop()
        erase(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)

    atexit.register(stop)
    os.environ["DATABASE_URL"] = postgres.url
    os.environ["TEST_VALKEY_URL"] = valkey.url
    os.environ["DATA_DIR"] = str(data_dir)


def _valkey_database(url: str) -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return f"{url.split('?')[0]}?db={int(worker)}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and collected tests are there to stay. Without this, the collector of
    garbage walks through all of them some fifteen times while they are collected,
    and then again and again. The gateway's processes (gateway/app.py) do the same.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


os.environ.update(TEST_SETTINGS)
if "TEST_VALKEY_URL" not in os.environ:
    _start_servers()
os.environ["REDIS_URL"] = _valkey_database(os.environ["TEST_VALKEY_URL"])
