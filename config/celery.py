"""Celery: the app and its beat schedule; tasks are named strings across apps."""

import os
from typing import Any

from celery import Celery

from config.env import env_str

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Ticks that found no worker for so long are not made up for: the next does the same.
STALE = {"expires": 30}

SCHEDULE: dict[str, dict[str, Any]] = {
    "accounts.apply_generations": {
        "task": "accounts.apply_generations",
        "schedule": 2.0,
    },
    "approvals.run_due": {
        "task": "approvals.run_due",
        "schedule": 2.0,
        "options": STALE,
    },
    "approvals.deliver": {
        "task": "approvals.deliver",
        "schedule": 2.0,
        "options": STALE,
    },
    "approvals.deliver_hooks": {
        "task": "approvals.deliver_hooks",
        "schedule": 2.0,
        "options": STALE,
    },
    "audit.keep_partitions": {"task": "audit.keep_partitions", "schedule": 3600.0},
    "catalog.mail_messages": {
        "task": "catalog.mail_messages",
        "schedule": 10.0,
        "options": STALE,
    },
    "catalog.renew_sitemap": {"task": "catalog.renew_sitemap", "schedule": 600.0},
    "catalog.forget_reports": {"task": "catalog.forget_reports", "schedule": 3600.0},
    "servers.refresh_all": {"task": "servers.refresh_all", "schedule": 300.0},
    "servers.judge_anew": {
        "task": "servers.judge_anew",
        "schedule": 60.0,
        "options": STALE,
    },
    "servers.mail_drift": {
        "task": "servers.mail_drift",
        "schedule": 10.0,
        "options": STALE,
    },
}
# From the environment: Django's settings may not be asked for yet.
if env_str("CATALOG_REGISTRY_URL"):
    SCHEDULE["catalog.sync_registry"] = {
        "task": "catalog.sync_registry",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    }


def configured(**made: Any) -> Celery:
    app = Celery("policylayer", **made)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        timezone="UTC",
        beat_schedule=SCHEDULE,
    )
    return app


app = configured()
app.autodiscover_tasks()
app.autodiscover_tasks(["catalog.registry"])
