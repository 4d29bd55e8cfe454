"""Names fall into words, and inflections of a word share a stem."""

from __future__ import annotations

from catalog.classifier.words import of_name, of_text, stem, stemmed
from tests.cases import cases


@cases(
    ("name", "words"),
    [
        ("CancelAHORunBatch", "cancel aho run batch"),
        ("cancel_aho-run.batch", "cancel aho run batch"),
        ("getURLsByID", "get urls by id"),
        ("createOrUpdateFile", "create or update file"),
        ("API-post-page", "api post page"),
        ("InfluxDBWriteLP", "influx db write lp"),
        ("list_s3_buckets", "list s 3 buckets"),
        ("écrireFichier", "écrire fichier"),
        ("__", ""),
        ("DELETE", "delete"),
        ("v2.users/get", "v 2 users get"),
    ],
)
def test_names_fall_into_words(name, words):
    assert of_name(name) == words.split()


@cases(
    "inflections",
    [
        "delete deletes deleted deleting",
        "cancel cancels cancelled canceled cancelling",
        "stop stops stopped stopping",
        "add adds added adding",
        "kill kills killed killing",
        "fill fills filled filling",
        "query queries queried querying",
        "write writes wrote written writing",
        "put puts putting",
        "send sends sent sending",
        "drop drops dropped dropping",
        "process processes processed processing",
        "fetch fetches fetched fetching",
        "index indices",
    ],
)
def test_inflections_share_a_stem(inflections):
    assert len({stem(word) for word in inflections.split()}) == 1


@cases(
    ("one", "other"),
    [
        ("file", "fill"),
        ("setting", "set"),
        ("status", "statu"),
        ("address", "addres"),
        ("deletion", "delete"),
        ("string", "str"),
        ("feed", "fee"),
    ],
)
def test_different_words_do_not(one, other):
    assert stem(one) != stem(other)


def test_words_of_a_text_are_bounded():
    assert of_text("Delete it! " + "x" * 41) == ["delete", "it"]


def test_a_table_may_name_pairs():
    assert stemmed("credit_notes invoice") == {"credit not", "invoic"}
