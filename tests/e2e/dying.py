"""A gateway process that kills itself (SIGKILL) at one step of an approved call.

The step says where: `asked`, when the question is stored; `reserved`, when the call is
counted and on record and the approval not yet used; `used`, right after that; `sent`,
when the server has done it and its answer is not passed on; `never`. `looking` never
dies, and looks around ten times as often. Nothing of it is in the product.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import uvicorn

from config import asgi  # first: it sets Django up

# isort: split
from approvals import asking, running
from gateway import upstream, waker
from gateway.exchange import Exchange
from gateway.relaying import relay

LOOK_SECONDS = 0.5


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(work: Callable[..., Any]) -> Callable[..., Any]:
    def done(*args: Any) -> None:
        work(*args)
        die()

    return done


def arm(step: str) -> None:
    if step == "asked":
        asking.ask = then_die(asking.ask)
    elif step == "reserved":
        running.consume = lambda *_: die()  # type: ignore[assignment]
    elif step == "used":
        running.consume = then_die(running.consume)
    elif step == "sent":
        vars(upstream)["relay"] = dies_with_the_answer
    elif step == "looking":
        waker.LOOK_SECONDS = LOOK_SECONDS
    else:
        assert step == "never"


async def dies_with_the_answer(x: Exchange, *rest: Any) -> None:
    """Of a call that was approved: the server has done it, the client hears nothing."""
    if x.asked is None:
        if (going := relay(x, *rest)) is not None:
            await going
    else:
        die()


def serve(step: str, port: int) -> None:
    arm(step)
    uvicorn.run(
        asgi.application,
        port=port,
        http="gateway.protocol:Protocol",
        lifespan="on",
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
