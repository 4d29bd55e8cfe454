"""The labels that the classifier is measured against (docs/labelling.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
DEVELOPMENT, HELD_OUT = FOLDER / "labels.jsonl", FOLDER / "held_out.jsonl"


class Label(NamedTuple):
    """`first` and `second` are the two passes', `label` is what stands.

    `outcome` is `agreed`, or whose reading the third one took.
    """

    server: str
    tool: str
    first: str
    second: str
    label: str
    outcome: str


def read(path: Path) -> list[Label]:
    lines = path.read_text().splitlines()
    return [Label(**json.loads(line)) for line in lines if line]
