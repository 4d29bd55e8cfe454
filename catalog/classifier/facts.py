"""What the classifier reads of a tool's definition: facts, and no sentence of it. Pure.

A verdict is made of facts alone, so that a catalogue that ships facts reclassifies
equally. All that is read is bounded; `cut` names what went on beyond a bound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from catalog.classifier.phrases import said
from catalog.classifier.prose import Prose, named, notes
from catalog.classifier.schemas import Flat, Parameter, flatten
from catalog.classifier.words import of_name
from servers.definitions import BadJson, canonical, fingerprint

Facts = dict[str, Any]

LONGEST_NAME = 1_000
LONGEST_TEXT = 20_000
LONGEST_NOTE = 2_000
# Of all parameters together.
MOST_NOTES = 60_000
LONGEST_VALUE = 100
MOST_VALUE_WORDS = 6
HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")


class BadDefinition(ValueError):
    """There is nothing to classify; says why."""


def read(definition: Mapping[str, Any]) -> Facts:
    """The facts with the definition's fingerprint. Raises `BadDefinition`."""
    facts = observe(definition)
    try:
        return facts | {"fingerprint": fingerprint(canonical(dict(definition)))}
    except BadJson as error:
        raise BadDefinition(str(error)) from None


def observe(definition: Mapping[str, Any]) -> Facts:
    """All that a verdict depends on. Raises `BadDefinition` where there is no name.

    `opening` is the stem of the description's first word that says anything, `lead`
    the stems of its first sentence, `stems` those of the whole; all are sorted and
    hold each stem once, so that no sentence can be put together from them. `named` are
    identifiers that a parameter's description names.
    """
    name = definition.get("name")
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME:
        raise BadDefinition(f"The name must be text of 1 to {LONGEST_NAME:,} letters.")
    text = _text(definition, "description")
    text_read = text[:LONGEST_TEXT]
    prose, told = Prose(text_read), notes(text_read)
    flat = _within(flatten(definition.get("inputSchema")))
    cut = {"description": len(text) > LONGEST_TEXT, "parameters": flat.cut}
    return {
        "name": name,
        "title_length": len(_text(definition, "title")),
        "description": _digest(text),
        "opening": prose.opening,
        "lead": sorted(prose.lead),
        "stems": sorted(prose.stems),
        "said": said(prose.text),
        "parameters": [_parameter(one, told) for one in flat.parameters],
        "annotations": _hints(definition.get("annotations")),
        "cut": sorted(what for what, happened in cut.items() if happened),
    }


def _within(flat: Flat) -> Flat:
    """With the descriptions of parameters emptied that are beyond `MOST_NOTES`."""
    left = MOST_NOTES
    for parameter in flat.parameters:
        left -= min(len(parameter.description), LONGEST_NOTE)
        if left < 0:
            parameter.unread, flat.cut = True, True
    return flat


def _parameter(parameter: Parameter, told: Mapping[str, str]) -> Facts:
    """Where the schema does not describe it, the tool's description may."""
    note = parameter.description[:LONGEST_NOTE] or told.get(parameter.path, "")
    note = "" if parameter.unread else note
    values = {
        " ".join(of_name(value[:LONGEST_VALUE])[:MOST_VALUE_WORDS])
        for value in parameter.values
    }
    return {
        "path": parameter.path,
        "types": sorted(parameter.types),
        "required": parameter.required,
        **_digest(parameter.description),
        **_note(note),
        "values": sorted(values - {""}),
    }


def _note(note: str) -> Facts:
    if not note:
        return {"stems": [], "said": [], "named": []}
    prose = Prose(note)
    return {
        "stems": sorted(prose.stems),
        "said": said(prose.text),
        "named": sorted(named(note)),
    }


def _digest(text: str) -> Facts:
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return {"sha256": digest, "length": len(text)}


def _text(definition: Mapping[str, Any], key: str) -> str:
    """Blanks alone are no text."""
    value = definition.get(key)
    return value if isinstance(value, str) and value.strip() else ""


def _hints(annotations: object) -> Facts:
    given = annotations if isinstance(annotations, Mapping) else {}
    return {hint: given[hint] for hint in HINTS if isinstance(given.get(hint), bool)}
