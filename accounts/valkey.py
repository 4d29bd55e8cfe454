"""Valkey for pages, commands and workers (the gateway has a client of its own)."""

import functools

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_SECONDS = 0.5
REPLY_SECONDS = 1.0


@functools.cache
def client() -> redis.Redis:
    """One pool a process; it fails in bounded time and repeats nothing by itself."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=REPLY_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
