"""What a tool's parameters let a caller give it: roles by name, type and values. Pure.

One line per role. Names are compared by the stems of their words: `sql` fits `sql` and
`sqlText`; `file_path` fits that pair of words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from catalog.classifier.lexicon import (
    DESTRUCTIVE,
    FAIR,
    PRECEDENCE,
    STRONG,
    Verb,
)
from catalog.classifier.verdicts import Signal
from catalog.classifier.words import of_name, stem, stemmed

TEXT, NUMBER, LIST, ANY = "string", "number", "array", ""


class Role(NamedTuple):
    """`names` of a parameter that takes `kind`; `free`: and has no list of values."""

    signal: str
    kind: str
    names: str
    why: str
    free: bool = True


ROLES = (
    Role(
        "free_code",
        TEXT,
        (
            "code script javascript js python function source_code snippet "
            "command cmd shell bash program init_script "
            "notebook_code lambda_code user_data"
        ),
        "takes code or a command as free text",
    ),
    Role(
        "free_query",
        TEXT,
        (
            "sql statement cypher gremlin graphql sparql cql hql soql "
            "query_string sql_query raw_query mutation"
        ),
        "takes a query as free text",
    ),
    Role(
        "url",
        TEXT,
        "url uri urls href endpoint webhook callback host hostname base_url website",
        "takes an address to connect or refer to",
    ),
    Role(
        "path",
        TEXT,
        (
            "path paths file files filename filepath file_path directory dir "
            "folder output_dir workspace_dir local_path destination_path "
            "source_path"
        ),
        "takes a path",
    ),
    Role(
        "amount",
        NUMBER,
        (
            "amount price total notional cost unit_amount unit_price "
            "amount_cents limit_price quantity qty"
        ),
        "takes an amount",
    ),
    Role(
        "amount", TEXT, "amount notional qty limit_price unit_price", "takes an amount"
    ),
    Role(
        "recipient",
        ANY,
        (
            "to recipient recipients cc bcc email_address email_addresses "
            "phone_number payee to_address destination_account invitee"
        ),
        "says who receives it",
    ),
    Role(
        "wildcard",
        TEXT,
        "pattern glob wildcard regex match_pattern name_pattern",
        "takes a pattern that many things can match",
    ),
    Role(
        "everything",
        "boolean",
        "all delete_all everything apply_to_all all_namespaces",
        "can be applied to everything",
    ),
    Role(
        "force",
        "boolean",
        "force force_delete no_verify skip_confirmation skip_validation skip_checks"
        " skip_final_snapshot no_backup bypass",
        "can switch a safeguard off",
    ),
    Role("html", TEXT, "html html_body raw_html body_html", "takes raw HTML"),
    Role(
        "secret",
        TEXT,
        (
            "password secret token api_key private_key credentials "
            "access_token auth_token secret_key passphrase client_secret"
        ),
        "takes a secret as an argument",
    ),
)
MANY_PARAMETERS = 20

OPERATION = stemmed(
    "operation action op operations actions verb subcommand task method operation_type"
    " action_type operation_name api_operation api_method http_method request_method"
    " sub_command"
)
# Names of parameters that say where something is put: `output_dir`, `save_to`.
OUTPUT = stemmed("save save_to save_as dest output_uri")
PUT = stemmed("output out save dest destination download export")
PLACE = stemmed("path dir directory file folder filename location")
FILE = stemmed(
    "file_path filename file_name filepath path dir directory folder target_dir"
)
SAVING = stemmed("file path dir directory folder filename save")


class Reading(NamedTuple):
    """One parameter with the stems of its own name, in order."""

    path: str
    name: str
    stems: frozenset[str]
    types: frozenset[str]
    facts: Mapping[str, Any]


def readings(facts: Mapping[str, Any]) -> list[Reading]:
    return [_reading(parameter) for parameter in facts["parameters"]]


def _reading(parameter: Mapping[str, Any]) -> Reading:
    last = parameter["path"].replace("[]", "").removesuffix(".*").rpartition(".")[2]
    words = [stem(word) for word in of_name(last)]
    pairs = {" ".join(pair) for pair in zip(words, words[1:], strict=False)}
    return Reading(
        parameter["path"],
        " ".join(words),
        frozenset(words) | pairs,
        frozenset(parameter["types"]),
        parameter,
    )


def signals(found: list[Reading]) -> Iterator[Signal]:
    for reading in found:
        for role, names in _ROLES:
            if _fits(reading, role, names):
                yield Signal(role.signal, f"parameters.{reading.path}", role.why)
    if len(found) >= MANY_PARAMETERS:
        why = f"takes {len(found)} parameters, more than a reader keeps in mind"
        yield Signal("many_parameters", "parameters", why)


def _fits(reading: Reading, role: Role, names: frozenset[str]) -> bool:
    if reading.name not in names or (role.free and reading.facts["values"]):
        return False
    types = {"number" if t == "integer" else t for t in reading.types}
    return (
        not role.kind
        or not types
        or role.kind in types
        or (role.kind == TEXT and types == {LIST})
    )


def _names(role: Role) -> frozenset[str]:
    return frozenset(
        " ".join(stem(part) for part in of_name(name)) for name in role.names.split()
    )


_ROLES = tuple((role, _names(role)) for role in ROLES)


class Operation(NamedTuple):
    """The most harmful thing that a choice among operations offers.

    `listed`: the schema lists it, else the parameter's description names it.
    """

    path: str
    word: str
    verb: Verb
    listed: bool


# A call by name: what is called, and what it is called with, are both free.
CALLED = stemmed(
    "command operation action method tool tool_name function_name operation_name"
    " command_name action_name api_name endpoint"
)
CALLED_WITH = stemmed("parameters params args arguments input payload request body")


def calls_by_name(found: list[Reading]) -> Reading | None:
    """The parameter that names any operation, where another takes its arguments."""
    top = [reading for reading in found if "." not in reading.path]
    with_any = any(
        reading.name in CALLED_WITH and "object" in reading.types for reading in top
    )
    free = [r for r in top if r.name in CALLED and not r.facts["values"]]
    return free[0] if free and with_any else None


def undescribed(found: list[Reading]) -> Reading | None:
    """The parameter that chooses an operation, where nothing says which there are."""
    for reading in found:
        silent = not reading.facts["values"] and not reading.facts["stems"]
        if silent and reading.name in OPERATION and "." not in reading.path:
            return reading
    return None


def operation(
    found: list[Reading], words: dict[str, Verb], by_stem: dict[str, Verb]
) -> Operation | None:
    offers = [
        offer
        for reading in found
        if reading.name in OPERATION and "." not in reading.path
        for offer in _offers(reading, words, by_stem)
    ]
    return min(offers, key=lambda o: (_rank(o.verb), o.word), default=None)


def _offers(
    reading: Reading, words: dict[str, Verb], by_stem: dict[str, Verb]
) -> Iterator[Operation]:
    values = reading.facts["values"]
    for value in values or reading.facts["named"]:
        verb = words.get(value.partition(" ")[0])
        if verb and verb.strength >= FAIR:
            yield Operation(reading.path, value, verb, listed=bool(values))
    for told in () if values else reading.facts["stems"]:
        verb = by_stem.get(told)
        if verb and verb.strength == STRONG and not verb.nounish:
            yield Operation(reading.path, verb.word, verb, listed=False)


def _rank(verb: Verb) -> int:
    return PRECEDENCE.index(verb.category)


def output(found: list[Reading], saves: bool) -> Reading | None:
    """The parameter that names where an answer is stored, if there is one."""
    for reading in found:
        if reading.path.count(".") > 1:
            continue
        says = "saves_to_path" in reading.facts["said"]
        if _is_output(reading) or (reading.name in FILE and (says or saves)):
            return reading
        if says and reading.stems & SAVING:
            return reading
    return None


def _is_output(reading: Reading) -> bool:
    if "boolean" in reading.types:
        return False
    return reading.name in OUTPUT or bool(reading.stems & PUT and reading.stems & PLACE)


def removing_switch(found: list[Reading], words: dict[str, Verb]) -> Reading | None:
    """A yes-or-no parameter that is led by a removing verb (`dropTarget`)."""
    for reading in found:
        if "boolean" in reading.types and "." not in reading.path:
            first = next(iter(of_name(reading.path)), "")
            verb = words.get(first)
            if verb and verb.category == DESTRUCTIVE and verb.strength == STRONG:
                return reading
    return None
