"""Twins of the pages that explain: the rubric, the attack patterns, and one of them.

Their words are our own, so they stand as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse

from catalog import risk_pages
from catalog.attacks.pattern import Pattern, Source
from catalog.attacks.patterns import PATTERNS, SECTIONS
from catalog.markdown import bullets, document, fence, link
from catalog.plain import as_json
from catalog.public import absolute

LIMITS = (
    "It judges what a definition says. A server can do something else.",
    "It reads English; other languages lower confidence.",
    "Hints of a tool's author can raise a verdict, never lower it.",
    "No network, no model, and no tool is ever called to find out.",
)


def risk() -> str:
    rules = risk_pages.context()
    confidence = rules["confidence"]
    return document(
        "# How risk is judged\n",
        f"Classifier {rules['version']}. The same definition gets the same verdict"
        " everywhere. The questions are asked in this order, and the first yes counts:"
        f" {', '.join(rules['precedence'])}.\n",
        *(_category(each) for each in rules["categories"]),
        "## What raises severity\n",
        bullets(
            f"`{rule['signal']}` in {', '.join(rule['categories'])}: at least"
            f" {rule['to']}, as {rule['why']}"
            for rule in rules["raises"]
        ),
        "## Signals\n",
        bullets(f"`{each['signal']}`: {each['why']}" for each in rules["signals"]),
        "## Confidence\n",
        f"It begins with {confidence['sure']}; each doubt takes something away, down to"
        f" {confidence['least']}. Below {confidence['doubtful']}, or without a"
        " description, a verdict is doubtful: severity is at least high, and a drafted"
        " policy asks.\n",
        bullets(f"{each['less']} less: {each['why']}" for each in confidence["doubts"]),
        "## Limits\n",
        bullets(LIMITS),
        _people("catalog:risk"),
    )


def _category(category: Mapping[str, Any]) -> str:
    verbs = [
        f"Verbs, {strength}: {', '.join(words)}"
        for strength, words in category["verbs"].items()
        if words
    ]
    lines = [
        f"Severity: {category['severity']}",
        f"Policy for one such tool: {category['effect']}",
        f"In the policy of a whole server: {category['balanced']}",
        *verbs,
    ]
    return document(
        f"## {category['name']}\n", f"{category['question']}\n", bullets(lines)
    )


def attacks() -> str:
    sections = (
        document(f"## {title}\n", bullets(map(_pattern_line, patterns)))
        for title, patterns in SECTIONS
    )
    return document(
        "# Documented attacks on agents and MCP servers\n",
        f"{len(PATTERNS)} patterns that others have documented, and the rule that stops"
        " or narrows each, or that none does.\n",
        *sections,
        _people("catalog:attacks"),
    )


def attack(pattern: Pattern) -> str:
    return document(
        f"# {pattern.name}\n",
        f"{pattern.line}\n",
        "## What happens\n",
        *(f"{paragraph}\n" for paragraph in pattern.happens),
        "## What an attacker needs\n",
        bullets(pattern.needs),
        *_abused(pattern),
        "## What stops it\n",
        f"Reach of a policy: {pattern.reach}. {pattern.does}".rstrip() + "\n",
        fence(as_json(pattern.policy, indent=2), "json") if pattern.policy else "",
        bullets(pattern.also),
        "## What is left\n",
        f"{pattern.left}\n",
        "## Sources\n",
        bullets(map(_source, pattern.sources)),
        _people("catalog:attack", pattern.slug),
    )


def _abused(pattern: Pattern) -> Iterator[str]:
    if pattern.categories:
        yield "## Which tools it abuses\n"
        yield bullets(pattern.categories)


def _pattern_line(pattern: Pattern) -> str:
    address = absolute(reverse("catalog:attack_md", args=[pattern.slug]))
    return f"{link(pattern.name, address)} ({pattern.reach}): {pattern.line}"


def _source(source: Source) -> str:
    title = link(source.title, source.url) if source.url else source.title
    return ", ".join(filter(None, [title, source.identifier, source.when]))


def _people(name: str, *place: str) -> str:
    return f"This page for people: <{absolute(reverse(name, args=place))}>\n"
