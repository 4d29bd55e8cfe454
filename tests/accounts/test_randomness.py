from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from accounts.randomness import AT_ONCE, sixteen


def test_no_bytes_are_given_twice():
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: sixteen(), range(AT_ONCE * 20)))
    assert len(set(drawn)) == len(drawn)
    assert {len(one) for one in drawn} == {16}


def test_a_forked_child_draws_its_own():
    sixteen()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, b"".join(sixteen() for _ in range(AT_ONCE)))
        os._exit(0)
    mine = {sixteen() for _ in range(AT_ONCE)}
    with os.fdopen(ours, "rb") as pipe:
        os.close(theirs)
        drawn = pipe.read()
    os.waitpid(child, 0)
    assert len(drawn) == 16 * AT_ONCE
    assert not mine & {drawn[at : at + 16] for at in range(0, len(drawn), 16)}
