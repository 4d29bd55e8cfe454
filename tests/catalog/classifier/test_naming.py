"""Which word of a name decides."""

from __future__ import annotations

from catalog.classifier.naming import VERBS_BY_WORD, head
from catalog.classifier.subject import RULES
from tests.cases import cases


@cases(
    ("name", "word"),
    [
        ("delete_file", "delete"),
        ("obsidian_list_files_in_dir", "list"),
        ("worker_deploy", "deploy"),
        ("queue_get_message", "get"),
        ("search_deleted_items", "search"),
        ("get_delete_status", "get"),
        ("batch_delete_rows", "delete"),
        ("create_or_update_file", "create"),
        ("stop_and_delete_job", "delete"),
        ("API-post-search", "search"),
        ("post_message", "post"),
        ("acme-deploy-services-reader", "reader"),
        ("git_status", "status"),
        ("cache_stats", "stats"),
        ("list_payroll_leave", "list"),
        ("brave_web_search", "search"),
        ("CancelAHORunBatch", "cancel"),
    ],
)
def test_the_word_that_decides(name, word):
    found = head(name, VERBS_BY_WORD)
    assert found.words[found.at] == word


def test_a_name_without_a_verb():
    assert head("sequentialthinkingx", VERBS_BY_WORD).verb is None
    assert head("___", VERBS_BY_WORD).verb is None


def test_every_verb_of_a_case_is_known():
    """Else the case could never fit."""
    wanted = {verb for case in RULES.cases for verb in case.verbs if verb[0] != "*"}
    assert wanted - set(RULES.words) == set()
