"""Offers of a made-up server, as scans at given moments would find them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.classifier.verdicts import Verdict
from catalog.classifying import CURRENT, Classifier
from catalog.offers import Offer, from_answer
from catalog.scanning.answers import Answer

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def definition(name: str, *parameters: str, **more: Any) -> dict[str, Any]:
    properties = {each: {"type": "string"} for each in parameters}
    schema = {"type": "object", "properties": properties}
    return {"name": name, "description": f"Does {name}.", "inputSchema": schema} | more


def answer(*tools: Any, day: int = 0, **more: Any) -> Answer:
    given: dict[str, Any] = {
        "kind": "pypi",
        "source": "acme.billing-mcp-server",
        "version": f"1.{day}",
        "transport": "stdio",
        "revision": "2025-06-18",
        "scanned_at": BEGIN + timedelta(days=day),
        "environment": "over stdio",
        "identity": {"name": "billing", "version": "1"},
        "items": {"tools": list(tools), "prompts": [{"name": "greet"}]},
    }
    return Answer(**given | more)


def offer(*tools: Any, day: int = 0, by: Classifier = CURRENT, **more: Any) -> Offer:
    return from_answer(answer(*tools, day=day, **more), by)


def classifier(version: str, **categories: str) -> Classifier:
    """One that knows tools by name; all others are Read."""
    severities = {"Read": "low", "Write": "medium", "Destructive": "critical"}

    def judge(facts: Mapping[str, Any]) -> Verdict:
        category = categories.get(facts["name"], "Read")
        severity = severities[category]
        return Verdict(category, severity, 0.9, (), (), True, version)

    return Classifier(version, CURRENT.read, judge)
