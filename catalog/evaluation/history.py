"""Scores on the held-out servers, once per version of the classifier; append only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("history.json")


class AlreadyScored(Exception):
    """This version has its entry, and another result of it is no better."""


def read(path: Path | None = None) -> list[dict[str, Any]]:
    """Oldest first: {"version", "date", "figures"}."""
    kept = path or PATH
    return json.loads(kept.read_text()) if kept.exists() else []


def entry(version: str, path: Path | None = None) -> dict[str, Any] | None:
    return next((one for one in read(path) if one["version"] == version), None)


def append(
    version: str, date: str, figures: dict[str, Any], path: Path | None = None
) -> None:
    """Raises `AlreadyScored` where the version has an entry."""
    if entry(version, path):
        raise AlreadyScored(version)
    kept = [*read(path), {"version": version, "date": date, "figures": figures}]
    (path or PATH).write_text(json.dumps(kept, indent=1) + "\n")
