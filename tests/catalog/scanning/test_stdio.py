"""Conversations with real programs over standard input and output."""

from __future__ import annotations

import json

import pytest

from catalog.scanning.failures import ScanFailed
from catalog.scanning.packages import Seconds
from tests.catalog.scanning.cells import asked

LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]


def failure(kind: str, seconds: Seconds | None = None) -> ScanFailed:
    with pytest.raises(ScanFailed) as caught:
        asked(kind, **({"seconds": seconds} if seconds else {}))
    return caught.value


def test_all_pages_of_all_lists() -> None:
    told = asked("plain")
    assert told.tools == [f"tool_{n}" for n in range(5)]
    counts = {key: len(items) for key, items in told.listed.items.items()}
    assert counts == {"tools": 5, "prompts": 1, "resources": 1, "resourceTemplates": 1}
    assert (told.hello.revision, told.hello.identity["name"]) == ("2025-06-18", "fake")
    assert told.listed.problems == ()


def test_a_tool_is_never_called() -> None:
    """All that a server with tools, prompts and resources is ever asked."""
    asked_of_it = ["initialize", "notifications/initialized"]
    assert asked("plain").asked == [*asked_of_it, *LISTS[:1] * 3, *LISTS[1:]]


def test_a_server_without_handshake_is_asked_in_the_newer_way() -> None:
    told = asked("modern")
    assert (told.hello.modern, told.hello.revision) == (True, "2026-07-28")
    assert told.asked == ["initialize", "server/discover", *LISTS[:1] * 3, *LISTS[1:]]
    meta = json.loads(told.answered[0])["_meta"]
    assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
    assert len(told.tools) == 5


def test_cursors_that_go_in_a_circle() -> None:
    told = asked("loop")
    assert told.tools == ["tool_0", "tool_0"]
    assert told.listed.problems == ("tools/list: its cursors go in a circle.",)


def test_pages_without_end() -> None:
    told = asked("endless")
    assert told.listed.problems == ("tools/list: it has more than 200 pages.",)
    assert told.asked.count("tools/list") == 200


def test_lines_that_are_no_json_rpc_are_passed_over() -> None:
    told = asked("garbage")
    assert len(told.tools) == 5


def test_tools_that_are_not_announced_are_found() -> None:
    told = asked("bare")
    assert len(told.tools) == 5
    assert told.asked.count("prompts/list") == 0


def test_what_the_server_asks_of_us_is_refused() -> None:
    answers = [json.loads(line) for line in asked("asks").answered]
    refused, pinged = answers[:3], answers[3]
    assert [each["id"] for each in answers[:4]] == ["s0", "s1", "s2", "s3"]
    assert {each["error"]["code"] for each in refused} == {-32601}
    assert not any("result" in each for each in refused)
    assert pinged["result"] == {}


def test_asking_and_asking_ends() -> None:
    assert "asks and asks" in str(failure("begs"))


def test_a_huge_line() -> None:
    assert "a line of more than 8 MiB" in str(failure("huge"))


def test_a_flood_of_lines() -> None:
    assert "more than 64 MiB" in str(failure("flood"))


def test_silence() -> None:
    failed = failure("silent", Seconds(start=1, whole=30))
    assert (failed.stage, failed.why) == ("start", "No answer to initialize in 1 s.")


def test_the_whole_has_its_time_too() -> None:
    failed = failure("silent", Seconds(start=30, whole=1))
    assert "limit of time" in failed.why


def test_the_last_words_are_told_without_marks_that_turn_text() -> None:
    failed = failure("broken")
    assert (failed.stage, failed.why) == ("answer", "It ended with status 3.")
    assert failed.said == "no account set"


def test_an_error_instead_of_a_list() -> None:
    assert "no tools/list (-32601)" in str(failure("refuses"))
