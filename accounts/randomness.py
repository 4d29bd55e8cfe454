"""Random bytes sixteen at a time, asked of the kernel many at once: one system call
for each would cost a gateway call more than counting it."""

from __future__ import annotations

import os

SIZE, AT_ONCE = 16, 256
_drawn: list[bytes] = []
# A child that went on with its parent's bytes would repeat them.
os.register_at_fork(after_in_child=_drawn.clear)


def sixteen() -> bytes:
    """Never the same bytes twice, in any thread: `list.pop` is atomic."""
    try:
        return _drawn.pop()
    except IndexError:
        many = os.urandom(SIZE * AT_ONCE)
        _drawn.extend(many[at : at + SIZE] for at in range(SIZE, len(many), SIZE))
        return many[:SIZE]
