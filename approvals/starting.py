"""Telling the workers at once what the beat would tell them within two seconds.

Whoever asks or decides waits for this: a broker that is gone, or accepts connections
and says nothing, costs them two seconds at most, and nothing is lost by it.
"""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import KombuError
from kombu.pools import producers
from redis import RedisError

log = logging.getLogger(__name__)

DELIVER, DELIVER_HOOKS = "approvals.deliver", "approvals.deliver_hooks"
# Seconds. Left to itself, the client tries for six where it is refused, and waits for
# ever where nobody answers.
IMPATIENT = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 1,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}


def start(*tasks: str) -> None:
    broker = current_app.connection_for_write()
    broker.transport_options = {**broker.transport_options, **IMPATIENT}
    try:
        with producers[broker].acquire(block=True, timeout=1) as producer:
            for task in tasks:
                current_app.send_task(task, producer=producer, retry=False)
    except (KombuError, RedisError, OSError) as error:
        log.warning("%s: left to the beat: %r", ", ".join(tasks), error)
