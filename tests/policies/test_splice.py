from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.splice import NotEditable, Spliced
from tests.cases import cases

LINES = """{
  "version": "1",
  "tools": {
    "a": {"x":   1.50},
    "b": {}
  },
  "hide": [
    "d_*"
  ]
}
"""


def spliced(text, *steps):
    edited = Spliced(text)
    for name, *arguments in steps:
        getattr(edited, name)(*arguments)
    return edited.text


@cases(
    ("text", "steps", "after"),
    [
        ('{"a": 1}', [("put", ("a",), 2)], '{"a": 2}'),
        ('{"a": 1}', [("put", ("b",), {})], '{"a": 1, "b": {}}'),
        ("{}", [("put", ("b",), {})], '{"b": {}}'),
        ('{"a": 1, "b": 2}', [("remove", ("a",))], '{"b": 2}'),
        ('{"a": 1, "b": 2}', [("remove", ("b",))], '{"a": 1}'),
        ('{ "a": 1 }', [("remove", ("a",))], "{}"),
        ('{"h": ["x", "y"]}', [("remove", ("h", 0))], '{"h": ["y"]}'),
        ('{"h": ["x"]}', [("append", ("h",), "ü")], '{"h": ["x", "ü"]}'),
        (
            LINES,
            [("put", ("tools", "b", "action"), "deny")],
            LINES.replace('"b": {}', '"b": {"action": "deny"}'),
        ),
        (
            LINES,
            [("put", ("tools", "c"), {"action": "deny"})],
            LINES.replace('"b": {}', '"b": {},\n    "c": {"action": "deny"}'),
        ),
        (
            LINES,
            [("append", ("hide",), "e")],
            LINES.replace('"d_*"', '"d_*",\n    "e"'),
        ),
        (
            LINES,
            [("remove", ("tools", "b"))],
            LINES.replace(',\n    "b": {}', ""),
        ),
        (
            LINES,
            [("remove", ("tools", "a"))],
            LINES.replace('"a": {"x":   1.50},\n    ', ""),
        ),
        (
            '{\n\t"version": "1",\n\t"tools": {}\n}',
            [("put", ("tools", "a"), {})],
            '{\n\t"version": "1",\n\t"tools": {\n\t\t"a": {}\n\t}\n}',
        ),
        (
            '{\r\n  "a": 1\r\n}',
            [("put", ("b",), 2)],
            '{\r\n  "a": 1,\r\n  "b": 2\r\n}',
        ),
    ],
)
def test_only_what_is_changed_changes(text, steps, after):
    assert spliced(text, *steps) == after


def test_what_is_no_json_is_told_with_its_place():
    with pytest.raises(NotEditable, match="line 2, column 7"):
        Spliced('{\n  "a" 1}')


def test_a_value_is_copied_as_it_is_written():
    edited = Spliced(LINES)
    edited.put_source(("tools", "c"), edited.source(("tools", "a")))
    assert '"c": {"x":   1.50}' in edited.text


KEYS = st.text(alphabet='ab"\\é\n\u2028', min_size=1, max_size=3)
VALUES: st.SearchStrategy[object] = st.one_of(
    st.integers(-9, 9), st.booleans(), st.text(max_size=3), st.just({}), st.just([])
)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=4),
    st.sampled_from([None, 2, "\t"]),
    st.lists(st.tuples(KEYS, KEYS, st.none() | VALUES), max_size=6),
)
def test_a_text_and_its_data_change_alike(data, indent, changes):
    edited = Spliced(json.dumps(data, indent=indent))
    for outer, inner, value in changes:
        if outer not in data:
            data[outer] = {}
            edited.put((outer,), {})
        if value is None and inner in data[outer]:
            del data[outer][inner]
            edited.remove((outer, inner))
        elif value is not None:
            data[outer][inner] = value
            edited.put((outer, inner), value)
        assert json.loads(edited.text) == data
        assert list(json.loads(edited.text)) == list(data)
