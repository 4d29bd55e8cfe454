"""Cases as JSON lines: a document, a call and what is known, decided.

    {"id", "document" | "document_json" | "document_ref", "call", "context"?}

`document` is the document, or null for a grant without a policy; `document_json`
its text. A line that holds `documents`, an object of documents by name, makes
them known to its own `document_ref` and to those of later lines. `call` has one
of `tool`, `resource` and `prompt`, and `args` or, as raw JSON text, `call_json`.
Other keys of a line are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jiter import from_json

from policies.case_checks import FACTS, SUBJECTS
from policies.cases import facts_of, settle_with, subject_of, tool_of
from policies.checks import Check, boolean, list_of, members, object_of, text
from policies.compile import CompiledPolicy, compile_document
from policies.decide import judge
from policies.decision import Decision
from policies.document import DocumentError, parse
from policies.facts import Call
from policies.jsontext import MOST_LEVELS, Scan, scan
from policies.positions import Path, Problem, Report, pointer_of

MOST_COMPILED = 64
# Levels of a line above its arguments or its document.
OUTER_LEVELS = 3

Answer = dict[str, Any]


class BadLine(Exception):
    """The line is no case; says why."""


def _zone(report: Report, path: Path, value: object) -> None:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        report.at(path, f"{str(value)[:60]!r} is no time zone.")


def _anything(report: Report, path: Path, value: object) -> None:
    pass


_CONTEXT: Mapping[str, Check] = {
    **FACTS,
    "zone": _zone,
    "known_tools": list_of(text),
    "held": boolean,
    "killed": boolean,
    "verdict": object_of({"category": text, "severity": text}),
    "waived": list_of(text),
    "break_glass": text,
}

_CALL: Mapping[str, Check] = {
    **dict.fromkeys(SUBJECTS, text),
    "args": _anything,
    "call_json": text,
}

# Numbers there may be such as a double would change.
_OTHERS = ("/document", "/documents", "/document_json", "/call/args")


class CaseReader:
    """Decides lines one by one; keeps documents and what was compiled."""

    def __init__(self) -> None:
        self._documents: dict[str, str] = {}
        self._compiled: dict[str, CompiledPolicy] = {}

    def answer(self, line: str) -> Answer | None:
        """None for a line that only holds documents. Raises BadLine."""
        scanned = scan(line, MOST_LEVELS + OUTER_LEVELS)
        case = _case(scanned)
        self._keep_documents(line, scanned, case)
        if set(case) == {"documents"}:
            return None
        try:
            policy = self._policy(self._document_text(line, scanned, case))
        except DocumentError as error:
            problems = [_problem(one) for one in error.problems]
            return {"id": case.get("id"), "refused": problems}
        return {"id": case.get("id"), **_answer(_decide(policy, line, scanned, case))}

    def _keep_documents(self, line: str, scanned: Scan, case: dict[str, Any]) -> None:
        documents = case.get("documents", {})
        if not isinstance(documents, dict):
            raise BadLine("documents must be an object.")
        for name in documents:
            self._documents[name] = _slice(line, scanned, ("documents", name))

    def _document_text(
        self, line: str, scanned: Scan, case: dict[str, Any]
    ) -> str | None:
        given = [
            key for key in ("document", "document_json", "document_ref") if key in case
        ]
        if len(given) != 1:
            raise BadLine("give one of document, document_json and document_ref.")
        value = case[given[0]]
        if given[0] == "document":
            return None if value is None else _slice(line, scanned, ("document",))
        if not isinstance(value, str):
            raise BadLine(f"{given[0]} must be a string.")
        if given[0] == "document_json":
            return value
        if value not in self._documents:
            raise BadLine(f"no line before gave the document {value[:60]!r}.")
        return self._documents[value]

    def _policy(self, written: str | None) -> CompiledPolicy | None:
        if written is None:
            return None
        if written not in self._compiled:
            compiled = compile_document(parse(written))
            if len(self._compiled) >= MOST_COMPILED:
                self._compiled.clear()
            self._compiled[written] = compiled
        return self._compiled[written]


def _slice(line: str, scanned: Scan, path: Path) -> str:
    place = scanned.places[path]
    return line[place.start : place.end]


def _case(scanned: Scan) -> dict[str, Any]:
    """The line's object, its call and context checked. Raises BadLine."""
    problems = scanned.problems()
    if scanned.broken:
        raise BadLine(f"no JSON: column {problems[0].column}: {problems[0].message}.")
    case = scanned.data
    if not isinstance(case, dict):
        raise BadLine("a case is a JSON object.")
    if "call" in case:
        _check_call(scanned.report, case["call"])
    if "context" in case:
        members(scanned.report, ("context",), case["context"], _CONTEXT)
    for problem in scanned.problems():
        inside = f"{problem.pointer}/".startswith(tuple(f"{o}/" for o in _OTHERS))
        if not inside:
            said = f"{problem.pointer} {problem.message}"
            raise BadLine(f"column {problem.column}: {said}")
    return case


def _check_call(report: Report, call: object) -> None:
    if not members(report, ("call",), call, _CALL) or not isinstance(call, dict):
        return
    if sum(key in call for key in SUBJECTS) != 1:
        report.at(("call",), "names one of tool, resource or prompt.")
    if "args" in call and "call_json" in call:
        report.at(("call",), "has args or call_json, not both.")


def _decide(
    policy: CompiledPolicy | None, line: str, scanned: Scan, case: dict[str, Any]
) -> Decision:
    call, context = case.get("call"), case.get("context", {})
    if call is None:
        raise BadLine("the document is valid, and there is no call to decide.")
    kind, name = subject_of(call)
    known = context.get("known_tools")
    is_known = kind == "tool" and (known is None or name in known)
    tool = tool_of(name, context, context.get("verdict", {})) if is_known else None
    zone = ZoneInfo(context.get("zone", "Etc/UTC"))
    args = _arguments(line, scanned, call)
    judgement = judge(policy, Call(kind, name, args), facts_of(context, tool, zone))
    return settle_with(judgement, context.get("used", {}))


def _arguments(line: str, scanned: Scan, call: dict[str, Any]) -> object:
    """As the gateway decodes them: each number with its own digits."""
    if "call_json" in call:
        written, place = call["call_json"], "call_json"
    elif "args" in call:
        written, place = _slice(line, scanned, ("call", "args")), "args"
    else:
        return {}
    try:
        return from_json(
            written.encode(),
            allow_inf_nan=False,
            catch_duplicate_keys=True,
            float_mode="lossless-float",
        )
    except ValueError as error:
        where = pointer_of(("call", place))
        raise BadLine(f"{where} is refused when decoded: {error}.") from None


def _answer(decision: Decision) -> Answer:
    answer: Answer = {"expect": decision.decision, "rule": decision.rule}
    would = decision.would
    if would is not None:
        answer["would"] = {"expect": would.decision, "rule": would.rule}
    return answer


def _problem(problem: Problem) -> Answer:
    return {
        "pointer": problem.pointer,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
    }
