"""A policy as text that is read: what fits on a line stands on one. Pure."""

from __future__ import annotations

import json
from typing import Any

WIDTH, STEP = 84, "  "


def laid_out(value: Any, indent: str = "", before: int = 0) -> str:
    """JSON; `before`: characters that stand on the line already."""
    short = json.dumps(value, ensure_ascii=False)
    if len(short) + len(indent) + before <= WIDTH and indent:
        return short
    inner = indent + STEP
    if isinstance(value, dict) and value:
        pairs = (f"{json.dumps(key, ensure_ascii=False)}: " for key in value)
        rows = [
            f"{inner}{said}{laid_out(each, inner, len(said))}"
            for said, each in zip(pairs, value.values(), strict=True)
        ]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        rows = [f"{inner}{laid_out(each, inner)}" for each in value]
        return "[\n" + ",\n".join(rows) + f"\n{indent}]"
    return short
