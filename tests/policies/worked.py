"""The worked cases of the policy page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Case = dict[str, Any]

VECTORS = json.loads(Path(__file__).with_name("policy-vectors.json").read_text())
CASES: list[Case] = VECTORS["cases"]


def document_of(case: Case) -> object:
    if "document_ref" in case:
        return VECTORS["documents"][case["document_ref"]]
    return case["document"]
