"""Whose verdict is in force: over changes, new classifiers, people and publishing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import GenerationChange, Membership, Organization
from policies import publishing
from servers import classifying, judging_anew, pinning, verdicts
from servers.definitions import read_tools
from servers.locking import locked
from servers.models import Server, ToolDefinition
from servers.verdicts import Shown
from tests.servers.upstream import tool

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(acme: Organization, classified: ModuleType) -> Server:
    return Server.objects.create(organization=acme, name="files", url="http://x/")


def listing(server: Server, *tools: dict[str, Any]) -> pinning.Found:
    with transaction.atomic():
        return pinning.pin(server, read_tools(tools)[0], timezone.now())


def said(name: str, text: str) -> dict[str, Any]:
    return tool(name, description=text)


def stored(server: Server, name: str = "a") -> ToolDefinition:
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    return rows.get(server=server, name=name)


def in_force(server: Server, name: str = "a") -> tuple[str, str, str]:
    row = stored(server, name)
    return row.category, row.severity, row.verdict_origin


def judged(server: Server, name: str = "a") -> tuple[str, str]:
    row = stored(server, name)
    return row.judged_category, row.judged_severity


ALLOW = '{"version": "1", "default": "allow"}'


def publish(server: Server) -> None:
    policy = publishing.create(server, "support", "", None)
    publishing.publish_text(policy, ALLOW, None)


def shown(server: Server, name: str = "a") -> Shown:
    row = stored(server, name)
    return Shown(row.pk, row.fingerprint, row.judged_category, row.judged_severity)


READ = ("Read", "low", "classifier")
DELETE = ("Destructive", "critical", "classifier")


# -- at the pin ------------------------------------------------------------------------


def test_a_tool_is_judged_as_it_is_pinned(server: Server) -> None:
    listing(server, said("a", "Deletes files"), said("b", "Reads, perhaps"))
    row = stored(server)
    assert in_force(server) == DELETE
    assert (row.judged_confidence, row.judged_doubtful, row.judged_version) == (
        *(0.9, False),
        "1",
    )
    assert row.judged_evidence[0]["words"] == ["deletes", "Deletes files"]
    assert row.judged_signals[0]["field"] == "parameters.code"
    assert stored(server, "b").judged_doubtful
    assert row.verdict_at is not None


def test_what_is_kept_of_the_evidence_can_be_stored(server: Server) -> None:
    """Postgres refuses NUL in jsonb; a definition may be as long as it likes."""
    listing(server, said("a", "reads \0" + "x" * 5000))
    (reason,) = stored(server).judged_evidence
    assert "\0" not in str(reason)
    assert len(reason["words"][1]) == classifying.LONGEST_TEXT


def test_what_the_classifier_cannot_read_counts_as_the_worst(server: Server) -> None:
    listing(server, said("a", "Breaks it"), said("b", "Reads"))
    assert in_force(server) == ("Other", "critical", "classifier")
    assert stored(server).judged_doubtful
    assert in_force(server, "b") == READ


def test_without_a_classifier_nothing_has_a_verdict(
    server: Server, settings: Any
) -> None:
    settings.TOOL_CLASSIFIER = ""
    listing(server, said("a", "Deletes files"))
    assert in_force(server) == ("Other", "low", "unset")
    assert judging_anew.judge_outdated() == 0


# -- drift that raises severity --------------------------------------------------------


def test_what_became_more_severe_is_held_with_its_old_pin(server: Server) -> None:
    listing(server, said("a", "Reads files"), said("b", "Reads files"))
    pinned = stored(server).fingerprint
    found = listing(server, said("a", "Deletes files"), said("b", "Reads mail"))
    assert found.changed
    assert list(found.raised) == [pinning.Raise("a", "low", "critical", held=True)]
    row = stored(server)
    assert (row.held_reason, row.fingerprint) == (pinning.RAISED, pinned)
    assert in_force(server) == READ
    assert stored(server, "b").held_at is None
    assert listing(server, said("a", "Deletes files")).raised == []


def test_accepting_takes_the_verdict_with_the_definition(server: Server) -> None:
    publish(server)
    listing(server, said("a", "Reads files"))
    listing(server, said("a", "Deletes files"))
    row = stored(server)
    assert pinning.accept(row, row.pending_fingerprint, timezone.now())
    assert in_force(server) == DELETE
    assert judged(server) == DELETE[:2]
    assert stored(server).held_at is None


def test_a_raise_stays_held_until_it_is_accepted_or_taken_back(server: Server) -> None:
    listing(server, said("a", "Reads files"))
    listing(server, said("a", "Deletes files"))
    listing(server, said("a", "Reads all files"))
    assert stored(server).held_reason == pinning.RAISED
    listing(server, said("a", "Reads files"))
    assert stored(server).held_at is None
    assert in_force(server) == READ


def test_where_raises_are_not_held_they_are_told_all_the_same(server: Server) -> None:
    server.hold_raised = False
    listing(server, said("a", "Reads files"))
    found = listing(server, said("a", "Deletes files"))
    assert list(found.raised) == [pinning.Raise("a", "low", "critical", held=False)]
    assert stored(server).held_at is None
    assert in_force(server) == DELETE
    assert listing(server, said("a", "Deletes files")).raised == []


def test_a_name_listed_twice_hides_no_raise(server: Server) -> None:
    listing(server, said("a", "Reads files"))
    listing(server, said("a", "Deletes files"), said("a", "Reads"))
    assert stored(server).held_at is not None
    listing(server, said("a", "Deletes files"))
    assert stored(server).held_at is not None
    assert stored(server).pending_definition


def test_judged_is_compared_with_judged_by_one_version(
    server: Server, classified: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older version thought less of the pinned definition: that is no drift."""
    publish(server)
    listing(server, said("a", "Writes files"), said("b", "Reads"))
    monkeypatch.setattr(classified, "VERSION", "2")
    monkeypatch.setitem(classified.SAYS, "writes", ("Write", "high"))
    found = listing(server, said("a", "Writes"), said("b", "Reads"))
    # In force is still the medium that was published with: above that it is a raise.
    assert [each.before for each in found.raised] == ["medium"]
    verdicts.accept(server, [shown(server)], None)  # type: ignore[arg-type]
    listing(server, said("a", "Writes files"), said("b", "Reads"))
    assert listing(server, said("a", "Writes mail")).raised == []


def test_a_persons_verdict_is_not_what_a_raise_is_measured_by(
    server: Server, bob: Membership
) -> None:
    listing(server, said("a", "Reads files"))
    verdicts.set_verdict(stored(server), "Financial", "critical", bob.user)
    assert listing(server, said("a", "Writes files")).raised
    assert stored(server).held_reason == pinning.RAISED
    assert in_force(server) == ("Financial", "critical", "person")
    row = stored(server)
    pinning.accept(row, row.pending_fingerprint, timezone.now())
    assert in_force(server) == ("Financial", "critical", "person")
    assert judged(server) == ("Write", "medium")


# -- what is published keeps its verdicts ----------------------------------------------


def rejudge(classified: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """A version that calls reading Financial comes into use."""
    monkeypatch.setattr(classified, "VERSION", "2")
    monkeypatch.setitem(classified.SAYS, "reads", ("Financial", "critical"))
    return judging_anew.judge_outdated()


def test_a_new_version_is_taken_while_nothing_is_published(
    server: Server, classified: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing(server, said("a", "Reads files"))
    before = GenerationChange.objects.count()
    assert rejudge(classified, monkeypatch) == 1
    assert in_force(server) == ("Financial", "critical", "classifier")
    assert GenerationChange.objects.count() == before + 1
    assert judging_anew.judge_outdated() == 0


def test_a_new_version_waits_where_a_policy_is_published(
    server: Server, classified: Any, monkeypatch: pytest.MonkeyPatch, bob: Membership
) -> None:
    listing(server, said("a", "Reads files"), said("b", "Writes files"))
    publish(server)
    before = GenerationChange.objects.count()
    assert rejudge(classified, monkeypatch) == 2
    assert in_force(server) == READ
    assert judged(server) == ("Financial", "critical")
    assert GenerationChange.objects.count() == before
    rows = ToolDefinition.objects.for_organization(server.organization_id)
    assert [row.name for row in rows.filter(verdicts.WAITING)] == ["a"]
    assert [verdicts.waits(row) for row in rows.order_by("name")] == [True, False]
    assert verdicts.accept(server, [shown(server)], bob.user) == 1
    assert in_force(server) == ("Financial", "critical", "classifier")
    assert stored(server).verdict_by == bob.user
    assert not rows.filter(verdicts.WAITING).exists()
    assert GenerationChange.objects.count() == before + 1


def test_a_changed_definition_of_lower_severity_waits_as_well(server: Server) -> None:
    listing(server, said("a", "Deletes files"))
    publish(server)
    assert listing(server, said("a", "Reads files")).raised == []
    assert stored(server).held_at is None
    assert in_force(server) == DELETE
    assert verdicts.waits(stored(server))


def test_a_tool_first_seen_after_publishing_has_its_verdict(server: Server) -> None:
    publish(server)
    listing(server, said("a", "Deletes files"))
    assert in_force(server) == DELETE


def test_only_the_verdict_that_was_shown_is_accepted(
    server: Server, classified: Any, monkeypatch: pytest.MonkeyPatch, bob: Membership
) -> None:
    listing(server, said("a", "Reads files"))
    publish(server)
    rejudge(classified, monkeypatch)
    seen = shown(server)
    for other in (
        seen._replace(severity="low"),
        seen._replace(category="Read"),
        seen._replace(fingerprint="0" * 64),
    ):
        assert verdicts.accept(server, [other], bob.user) == 0
    monkeypatch.setattr(classified, "VERSION", "3")
    monkeypatch.setitem(classified.SAYS, "reads", ("Other", "high"))
    judging_anew.judge_outdated()
    assert verdicts.accept(server, [seen], bob.user) == 0
    assert in_force(server) == READ


def test_a_tool_of_another_server_is_not_accepted(
    server: Server, bob: Membership
) -> None:
    listing(server, said("a", "Reads files"))
    elsewhere = Server.objects.create(
        organization=server.organization, name="mail", url="http://y/"
    )
    assert verdicts.accept(elsewhere, [shown(server)], bob.user) == 0


# -- people ----------------------------------------------------------------------------


def test_no_classifier_replaces_what_a_person_said(
    server: Server, classified: Any, monkeypatch: pytest.MonkeyPatch, bob: Membership
) -> None:
    listing(server, said("a", "Reads files"))
    verdicts.set_verdict(stored(server), "Execute", "high", bob.user)
    rejudge(classified, monkeypatch)
    listing(server, said("a", "Reads mail"))
    assert in_force(server) == ("Execute", "high", "person")
    assert not verdicts.waits(stored(server))
    assert verdicts.accept(server, [shown(server)], bob.user) == 1
    assert in_force(server) == ("Financial", "critical", "classifier")


# -- rows of an older release ----------------------------------------------------------


def older(server: Server) -> None:
    """A row as it was before anything judged it."""
    found, _ = read_tools([said("a", "Deletes files")])
    ToolDefinition.objects.create(
        organization=server.organization,
        server=server,
        name="a",
        definition=found[0].text,
        fingerprint=found[0].fingerprint,
    )


def test_tools_that_were_never_judged_are(server: Server) -> None:
    older(server)
    assert judging_anew.judge_outdated() == 1
    assert in_force(server) == DELETE


def test_under_a_published_policy_they_wait_with_a_verdict(
    server: Server, bob: Membership
) -> None:
    older(server)
    publish(server)
    judging_anew.judge_outdated()
    assert in_force(server) == ("Other", "low", "unset")
    assert verdicts.waits(stored(server))
    assert verdicts.accept(server, [shown(server)], bob.user) == 1
    assert in_force(server) == DELETE


def test_tools_of_all_organizations_are_judged(
    server: Server, other: Organization
) -> None:
    older(server)
    older(Server.objects.create(organization=other, name="files", url="http://x/"))
    assert judging_anew.judge_outdated() == 2


# -- publishing meanwhile --------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_verdict_changes_between_judging_and_publishing(
    acme: Organization, classified: ModuleType, valkey: object
) -> None:
    """Who judges has seen that nothing is published: a version waits until it is done,
    and from then on new verdicts wait."""
    server = Server.objects.create(organization=acme, name="files", url="http://x/")
    listing(server, said("a", "Reads files"))
    policy = publishing.create(server, "support", "", None)

    def published() -> None:
        try:
            publishing.publish_text(policy, ALLOW, None)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked(server)
            assert not verdicts.keeps(server)
            waiting = pool.submit(published)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        waiting.result(10)
    assert verdicts.keeps(server)
