from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.models import GenerationChange, Membership, Organization, Role
from policies import publishing
from policies.models import Grant, Policy, PolicyVersion
from policies.publishing import (
    DraftChanged,
    NotPublishable,
    check,
    publish,
    publish_text,
    rollback,
    save_draft,
    versions,
)
from servers.models import Origin, Server, ToolDefinition
from tests.conftest import member
from tests.policies.web.conftest import tool

SEEDS = sorted((Path(__file__).parent.parent / "data" / "seed").glob("*.json"))
ALLOW = '{"version": "1", "default": "allow"}'
DENY = '{"version": "1", "default": "deny"}'


def changes(organization) -> int:
    return GenerationChange.objects.filter(organization=organization).count()


def saved(policy: Policy, text: str, by) -> Policy:
    save_draft(policy, text, by.user, policy.draft_revision)
    return policy


def test_publishing_adds_a_version_and_puts_it_in_force(support, bob):
    before = changes(bob.organization)
    version = publish(support, bob.user, "why not", revision=0)
    support.refresh_from_db()
    assert support.current == version
    assert (version.number, version.text, version.comment) == (
        1,
        support.draft,
        "why not",
    )
    assert version.published_by == bob.user
    assert len(version.digest) == 64
    assert changes(bob.organization) == before + 1
    second = publish(saved(support, DENY, bob), bob.user, revision=1)
    assert [each.number for each in versions(support)] == [2, 1]
    assert second.digest != version.digest


def test_the_digest_is_that_of_the_document_not_of_its_spelling(support):
    first = publish_text(support, DENY, None)
    spaced = '{"default":"deny",   "version":"1"}'
    assert publish_text(support, spaced, None).digest == first.digest
    assert versions(support)[0].text == spaced


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1"),
        ('{"version": "1"}', "default"),
        ('{"version": "1", "default": "deny", "tolls": {}}', "tolls"),
        (
            '{"version": "1", "default": "deny", "tests": [{"name": "reads",'
            ' "tool": "list_charges", "expect": "allow"}]}',
            "reads",
        ),
    ],
)
def test_what_is_wrong_is_kept_as_a_draft_and_not_published(support, bob, text, said):
    publish(support, bob.user, revision=0)
    before = changes(bob.organization)
    saved(support, text, bob)
    with pytest.raises(NotPublishable, match=said):
        publish(support, bob.user, revision=1)
    support.refresh_from_db()
    assert (support.current.number, support.draft) == (1, text)
    assert changes(bob.organization) == before


def test_two_editors_cannot_overwrite_each_other(support, alice, bob):
    bobs = Policy.objects.for_organization(bob.organization).get()
    save_draft(support, "alice's", alice.user, 0)
    with pytest.raises(DraftChanged) as lost:
        save_draft(bobs, "bob's", bob.user, 0)
    assert lost.value.policy.draft == "alice's"
    assert lost.value.policy.draft_by == alice.user
    save_draft(bobs, "bob's, having seen alice's", bob.user, 1)
    support.refresh_from_db()
    assert support.draft == "bob's, having seen alice's"


def test_what_was_reviewed_is_what_is_published(support, alice, bob):
    seen = support.draft_revision
    saved(support, ALLOW, alice)
    with pytest.raises(DraftChanged):
        publish(support, bob.user, revision=seen)
    assert not versions(support).exists()


def test_rollback_is_a_new_version_with_the_old_text(support, bob):
    publish_text(support, DENY, bob.user)
    publish_text(support, ALLOW, bob.user)
    before = changes(bob.organization)
    made = rollback(support, 1, bob.user)
    assert (made.number, made.text, made.restores) == (3, DENY, 1)
    support.refresh_from_db()
    assert support.current == made
    assert changes(bob.organization) == before + 1
    with pytest.raises(PolicyVersion.DoesNotExist):
        rollback(support, 9, bob.user)


def test_a_rollback_is_checked_again(support, bob, payments):
    tests = '"tests": [{"name": "t", "tool": "gone", "expect": "hide"}]'
    publish_text(support, f'{{"version": "1", "default": "deny", {tests}}}', bob.user)
    publish_text(support, ALLOW, bob.user)
    assert rollback(support, 1, bob.user).number == 3


def test_an_untouched_draft_follows_what_is_published_elsewhere(support, bob):
    publish(support, bob.user, revision=0)
    publish_text(support, DENY, None)
    support.refresh_from_db()
    assert (support.draft, support.draft_revision) == (DENY, 1)
    saved(support, "half {", bob)
    rollback(support, 1, bob.user)
    support.refresh_from_db()
    assert support.draft == "half {"


def test_an_editor_with_the_old_text_open_does_not_overwrite_it(support, bob):
    publish(support, bob.user, revision=0)
    publish_text(support, DENY, None)
    with pytest.raises(DraftChanged):
        save_draft(support, "from the old text", bob.user, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "{}"},
        {"digest": "0" * 64},
        {"number": 9},
        {"comment": "other"},
        {"restores": 4},
    ],
)
def test_the_database_refuses_to_change_a_version(support, bob, change):
    version = publish(support, bob.user, revision=0)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        versions(support).filter(pk=version.pk).update(**change)
    version.refresh_from_db()
    assert version.text == support.draft


def test_a_version_cannot_change_its_author(support, alice, bob):
    publish(support, bob.user, revision=0)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        versions(support).update(published_by=alice.user)


def test_the_database_refuses_to_delete_a_version_of_a_living_policy(support, bob):
    publish(support, bob.user, revision=0)
    second = publish_text(support, DENY, bob.user)
    with pytest.raises(IntegrityError, match="with its policy"), transaction.atomic():
        versions(support).filter(number=1).delete()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert [each.number for each in versions(support)] == [second.number, 1]


@pytest.mark.parametrize("doomed", ["policy", "server", "organization"])
def test_a_policy_goes_with_all_its_versions(support, bob, doomed):
    publish(support, bob.user, revision=0)
    publish_text(support, DENY, bob.user)
    target = support if doomed == "policy" else getattr(support, doomed)
    target.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not PolicyVersion.objects.across_organizations().exists()


def test_an_authors_account_may_go(support, bob):
    version = publish(support, bob.user, revision=0)
    bob.user.delete()
    version.refresh_from_db()
    assert version.published_by is None


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_the_published_policies_publish_unchanged(support, bob, payments, path):
    text = path.read_text()
    tool(payments, "CancelAHORunBatch")
    saved(support, text, bob)
    version = publish(support, bob.user, revision=1)
    assert version.text == text


def test_there_are_five_published_policies():
    assert len(SEEDS) == 5


def test_a_rule_on_an_unset_verdict_is_warned_about(support, payments):
    rule = '{"path": "tool.severity", "op": "neq", "value": "critical"}'
    text = (
        f'{{"version": "1", "default": "allow", "all_tools": {{"require": [{rule}]}}}}'
    )
    said = " ".join(each.message for each in check(text, support, None).warnings)
    assert "create_refund" in said
    ToolDefinition.objects.for_organization(payments.organization_id).update(
        verdict_origin=Origin.PERSON
    )
    said = " ".join(each.message for each in check(text, support, None).warnings)
    assert "create_refund" not in said


def test_a_test_of_the_document_meets_the_pinned_definition(support, payments):
    row = ToolDefinition.objects.for_organization(payments.organization_id).get(
        name="create_refund"
    )
    row.definition = (
        '{"inputSchema":{"properties":{"a":{"type":"integer"}},"type":"object"}}'
    )
    row.save(update_fields=["definition"])
    case = (
        '{"name": "t", "tool": "create_refund", "args": {"a": "x"}, "expect": "deny"}'
    )
    text = (
        '{"version": "1", "default": "allow", "validate_arguments": true,'
        f' "tests": [{case}]}}'
    )
    assert [each.outcome for each in check(text, support, None).cases] == ["passed"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "name"), (" a", "spaces"), ("x" * 101, "100"), ("a\u200bb", "invisible")],
)
def test_bad_names_are_refused(payments, name, said):
    with pytest.raises(ValidationError, match=said):
        publishing.create(payments, name, "", None)


def test_a_name_is_there_once_in_an_organization(support, payments, other):
    with pytest.raises(ValidationError, match="Another policy"):
        publishing.create(payments, "support", "", None)
    theirs = Server.objects.create(organization=other, name="payments", url="x")
    assert publishing.create(theirs, "support", "", None).pk


def test_a_draft_has_a_bound_and_no_nul(support, bob):
    for text in ("x" * (1024 * 1024 + 1), "a\x00b"):
        with pytest.raises(ValidationError):
            save_draft(support, text, bob.user, 0)


def test_a_comment_has_a_bound(support, bob):
    with pytest.raises(ValidationError, match="500"):
        publish(support, bob.user, "x" * 501, revision=0)


@pytest.mark.django_db(transaction=True)
def test_two_publishers_at_once_take_two_numbers(valkey):
    acme = Organization.objects.create(slug="acme", name="Acme", shard=7)
    by: Membership = member(acme, "alice", Role.OWNER)
    server = Server.objects.create(organization=acme, name="s", url="x")
    policy = publishing.create(server, "p", ALLOW, None)

    def publish_some():
        try:
            for _ in range(5):
                publish_text(policy, ALLOW, by.user)
        finally:
            connection.close()

    threads = [Thread(target=publish_some) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(each.number for each in versions(policy)) == list(range(1, 16))
    policy.refresh_from_db()
    assert policy.current and policy.current.number == 15
    assert not Grant.objects.across_organizations().exists()
