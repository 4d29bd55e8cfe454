"""The scripts of limits on a real server, by a clock that the test drives.

Production's script knows the server's TIME only; here the one call of it is replaced
by two more arguments, and counters outlive the test, as the server's own clock, which
expires them, goes another way.
"""

from __future__ import annotations

import uuid
from typing import Any

import redis

from policies.decision import Judgement, Side, Use
from policies.limits import (
    CALL,
    GIVE_BACK,
    Owners,
    Prepared,
    ScriptReply,
    give_back,
    prepare,
    read_reply,
)

TIME, EXPIRY = b"redis.call('TIME')", b"'PX', text(c.life)"
assert CALL.text.count(TIME) == CALL.text.count(EXPIRY) == 1
DRIVEN = CALL.text.replace(TIME, b"{ARGV[6], ARGV[7]}").replace(
    EXPIRY, b"'PX', '600000'"
)
GENERATION = b"g" * 16
ACME, OTHER, SERVER, GRANT = (uuid.UUID(int=n) for n in (1, 2, 3, 4))
COUNT = 1_000_000


def use(counter: str = "calls", window: int = 60, max: int = 1, **changed: Any) -> Use:
    """A limit of the policy `max` a `window`; `max` and `amount` in units."""
    given: dict[str, Any] = {
        "rule": f"/all_tools/limits/{counter}",
        "counter": counter,
        "window": window,
        "scope": "grant",
        "max": max * COUNT,
        "amount": COUNT,
        "by": None,
        "over": "deny",
        "on_deny": None,
        "watched": False,
    }
    return Use(**(given | changed))


def judged(*uses: Use, watched: Side | None = None, **side: Any) -> Judgement:
    """A call that only its limits can stop."""
    return Judgement(
        Side(uses=tuple(one for one in uses if not one.watched), **side),
        watched or Side(uses=tuple(one for one in uses if one.watched)),
    )


class Ledger:
    """One organization's calls on a server whose clock the test sets."""

    def __init__(self, client: redis.Redis, **owners: Any) -> None:
        self.client: Any = client
        given: dict[str, Any] = {
            "organization": ACME,
            "shard": 7,
            "server": SERVER,
            "grant": GRANT,
        }
        self.owners = Owners(**(given | owners))
        self.client.set(self.owners.generation, GENERATION)
        self.now = 1_800_000_000_000_000  # us
        self.last: tuple[Prepared, ScriptReply] | None = None

    def call(
        self, *uses: Use, mode: Any = "reserve", record: bytes = b"r", **side: Any
    ) -> ScriptReply:
        prepared = prepare(self.owners, GENERATION, judged(*uses, **side), record, mode)
        clock = divmod(self.now, 1_000_000)
        raw = self.client.eval(
            DRIVEN, len(prepared.keys), *prepared.keys, *prepared.argv, *clock
        )
        reply = read_reply(prepared, raw)
        self.last = prepared, reply
        return reply

    def give_back(self, prepared: Prepared, reply: ScriptReply) -> None:
        given = give_back(prepared, reply)
        assert given is not None
        keys, argv = given
        self.client.eval(GIVE_BACK.text, len(keys), *keys, *argv)
