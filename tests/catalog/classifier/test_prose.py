"""What a description says: how it opens, what it denies, what it names."""

from __future__ import annotations

from catalog.classifier.phrases import said
from catalog.classifier.prose import Prose, named, notes
from catalog.classifier.words import stem
from tests.cases import cases


@cases(
    ("text", "opening"),
    [
        ("Deletes a file.", "delete"),
        ("This tool allows you to delete a file.", "delete"),
        ("Permanently deletes a file.", "delete"),
        ("Notion | Retrieve a user", "retrieve"),
        ("Amazon SNS: Creates a topic.", "create"),
        ("**Get** the weather", "get"),
        ("Apply a patch", "apply"),
        ("", ""),
        ("123 !", ""),
    ],
)
def test_openings(text, opening):
    assert Prose(text).opening == stem(opening)


def test_the_lead_is_the_first_sentence():
    prose = Prose("Lists the files. Deletes nothing.\n\nArgs: x")
    assert prose.lead == {"list", "fil"}
    assert stem("delete") in prose.stems


@cases(
    "text",
    [
        "It does not delete files",
        "It doesn't delete files",
        "Lists without deleting",
        "Unlike delete_files, it lists",
        "Never deletes",
    ],
)
def test_what_is_denied_is_not_told(text):
    assert stem("delete") not in Prose(text).stems


def test_identifiers_that_a_text_names():
    text = "One of 'create', `drop-table` or start_query; the well known delete too"
    assert named(text) == {"create", "drop table", "start query"}


def test_notes_of_a_docstring():
    text = "Does it.\n\nArgs:\n    action (str): create or drop\n    n: how many\n"
    assert notes(text) == {"action": "create or drop", "n": "how many"}


@cases(
    ("text", "signal"),
    [
        ("a read-only query", "read_only"),
        ("does not modify any data", "read_only"),
        ("this cannot be undone", "irreversible"),
        ("permanently deletes the bucket", "irreversible"),
        ("all data will be lost", "loses_data"),
        ("executes arbitrary shell commands", "runs_anything"),
        ("runs any shell command", "runs_anything"),
        ("saves the result to a file", "saves_to_path"),
        ("transfers funds to", "moves_money"),
        ("supports insert, update and more", "writes_sql"),
        ("runs in read-only mode by default", "read_only_mode"),
    ],
)
def test_phrases(text, signal):
    assert signal in said(text)


def test_a_plain_text_says_nothing():
    assert said("lists the files of a folder") == []
    assert said("") == []
