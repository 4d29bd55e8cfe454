"""What tools do, in our words, for names of every kind."""

from __future__ import annotations

from catalog.wording import sentence, worded
from tests.cases import cases

SAID = [
    ("CancelAHORunBatch", "Cancels an AHO run batch"),
    ("list_buckets", "Lists buckets"),
    ("get_bucket_policy", "Reads a bucket policy"),
    ("delete-objects", "Deletes objects"),
    ("getURL", "Reads a URL"),
    ("createAnImage", "Creates an image"),
    ("add_tags_to_resource", "Adds tags to resource"),
    ("get_metadata", "Reads metadata"),
    ("cron_delete", "Deletes a cron"),
    ("slack_get_users", "Reads users (slack)"),
    ("browser_click", "Clicks (browser)"),
    ("jira_batch_create_versions", "Creates versions in bulk (jira)"),
    ("monitor_update", "Changes a monitor"),
    ("do_list_namespaces", "Lists namespaces"),
    ("GET", "Reads"),
    ("API-post-page", "Posts a page (API)"),
    ("sequentialthinking", "Goes by the name “sequentialthinking”"),
    ("", "Has a name without a word in it"),
    ("___", "Has a name without a word in it"),
    ("<b>delete</b>", "Deletes a b (b)"),
    ("删除文件", "Goes by the name “删除文件”"),
    ("delete\u202eall", "Deletes all"),
]


@cases(("name", "said"), SAID)
def test_a_name_in_words(name, said):
    assert sentence(name) == said


def test_the_server_need_not_be_said_again():
    assert sentence("slack_get_users", {"slack", "mcp"}) == "Reads users"
    assert sentence("slack_get_users", {"github"}) == "Reads users (slack)"


def test_it_is_bounded_and_holds_letters_alone():
    said = sentence("delete_" + "<script>\x00" * 500)
    assert len(said) < 200
    assert not set(said) & set("<>\x00")


def test_parameters_at_the_top_are_counted():
    parameters = [
        {"path": "bucket", "required": True},
        {"path": "options", "required": False},
        {"path": "options.force", "required": True},
        *({"path": f"p{n}", "required": True} for n in range(5)),
    ]
    found = worded("delete_bucket", {"parameters": parameters})
    assert found.needs == ("bucket", "p0", "p1", "p2")
    assert (found.more, found.takes) == (2, 1)
    assert worded("x", {}).needs == ()
