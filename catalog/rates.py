"""How often strangers may: counted in Valkey for all processes, by network address.

A window begins on the clock, so up to twice as many fit around its end. Where Valkey
does not answer, nobody may: these forms are the only ones that need no account.
"""

from __future__ import annotations

import ipaddress
import time
from typing import NamedTuple

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from redis import RedisError

IPV6_NETWORK = 64


class Unavailable(Exception):
    """Nothing can be counted now."""


class Rate(NamedTuple):
    """`most` within `seconds` from one address, `most_of_all` from all of them."""

    name: str
    seconds: int
    most: int
    most_of_all: int


def take(rate: Rate, request: HttpRequest) -> bool:
    """Counts one; False where it was too many. Raises Unavailable."""
    try:
        by_address = _count(rate, _address(request)) <= rate.most
        # What one address is refused does not use up what is there for all.
        return by_address and _count(rate, "all") <= rate.most_of_all
    except RedisError as error:
        raise Unavailable(str(error)) from error


def _count(rate: Rate, whose: str) -> int:
    window = int(time.time()) // rate.seconds
    key = f"catalog:{rate.name}:{whose}:{window}"
    cache.add(key, 0, timeout=2 * rate.seconds)
    return int(cache.incr(key))


def _address(request: HttpRequest) -> str:
    """The client's, behind a trusted proxy too; a network of IPv6 is one client. Kept
    as a keyed hash: who looks into Valkey learns no addresses."""
    try:
        said = get_adapter().get_client_ip(request)
        address = ipaddress.ip_address(said)
    except (PermissionDenied, ValueError):
        return "unknown"
    if address.version == 6:
        network = ipaddress.ip_network(f"{address}/{IPV6_NETWORK}", strict=False)
        said = str(network.network_address)
    return salted_hmac("catalog.rates", said, algorithm="sha256").hexdigest()[:32]
