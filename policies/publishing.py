"""Drafts and versions: saving, checking, publishing, going back.

A draft may hold anything, so that nothing typed is lost; a version is a document that
parses, passes its own tests and asks nobody who could not decide. Versions are only
ever added: the database refuses
anything else (migration 0003). `by` is None where an operator acts from the machine's
command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Max
from django.utils import timezone

from accounts import generation
from accounts.forms import printable
from accounts.models import User
from policies import deciders
from policies.cases import CaseResult, run_cases
from policies.compile import CompiledPolicy, compile_document
from policies.deciders import Undecidable
from policies.document import DocumentError, Problem, parse
from policies.models import Policy, PolicyVersion
from policies.pinned import Pinned, pinned
from policies.warnings import Warning, warnings
from servers import locking
from servers.models import Server

NAME_LENGTH = 100
COMMENT_LENGTH = 500
# Bytes of a text that is kept as a draft; a document has at most 256 KiB.
LONGEST_DRAFT = 1024 * 1024


@dataclass(frozen=True)
class Checked:
    """What the editor shows of a text; `compiled` is None where there are problems.
    `undecidable` are rules that nobody but the requester of a grant could decide."""

    text: str
    compiled: CompiledPolicy | None
    problems: tuple[Problem, ...] = ()
    warnings: Sequence[Warning] = ()
    cases: Sequence[CaseResult] = ()
    undecidable: Sequence[Undecidable] = ()

    @property
    def failed(self) -> list[CaseResult]:
        return [case for case in self.cases if case.outcome == "failed"]

    @property
    def publishable(self) -> bool:
        return not (self.compiled is None or self.failed or self.undecidable)


class DraftChanged(Exception):
    """Somebody saved in between; `policy` is the row as it is now."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        super().__init__(f"{policy} was saved by somebody else")


class NotPublishable(Exception):
    """The document has problems, tests of its own that fail, or rules that nobody but
    the requester could decide."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        super().__init__(refusal(checked))


def check_name(name: str) -> None:
    if not name or name != name.strip():
        raise ValidationError("Give a name, without spaces around it.")
    if len(name) > NAME_LENGTH:
        raise ValidationError(f"At most {NAME_LENGTH} characters.")
    printable(name)


def create(server: Server, name: str, draft: str, by: User | None) -> Policy:
    """A policy without a version yet: nothing is in force."""
    check_name(name)
    try:
        with transaction.atomic():
            return Policy.objects.create(
                organization=server.organization,
                server=server,
                name=name,
                draft=draft,
                draft_by=by,
                draft_at=timezone.now(),
            )
    except IntegrityError:
        raise ValidationError("Another policy has this name.") from None


def check(
    text: str, policy: Policy, by: User | None, known: Pinned | None = None
) -> Checked:
    """`by` is who would publish it; `known` the server's definitions, if at hand."""
    known = known or pinned(policy.server)
    try:
        compiled = compile_document(parse(text))
    except DocumentError as error:
        return Checked(text, None, error.problems)
    return Checked(
        text,
        compiled,
        warnings=[
            *warnings(compiled, known.tools, known.unset, known.waiting),
            *_only_member(policy, compiled),
        ],
        cases=run_cases(compiled, known.by_name, ZoneInfo(policy.organization.zone)),
        undecidable=deciders.undecidable(policy, compiled, by),
    )


def _only_member(policy: Policy, compiled: CompiledPolicy) -> Iterator[Warning]:
    if rule := deciders.without_others(policy, compiled):
        said = "There is one member only, whose own calls this asks about: before there"
        said += " is a grant, invite somebody, or set self_approval."
        yield Warning(rule, said)


def refusal(checked: Checked) -> str:
    """Why this cannot be published, for people; empty where it can."""
    if checked.problems:
        first = checked.problems[0]
        return f"line {first.line}, column {first.column}: {first.message}"
    if failed := checked.failed:
        return f"test “{failed[0].name}” fails: {failed[0].message}"
    if checked.undecidable:
        return checked.undecidable[0].message.removesuffix(".")
    return ""


def save_draft(policy: Policy, text: str, by: User | None, revision: int) -> None:
    """Keeps `text`, valid or not. `revision` is the one that the editor began with.

    Raises DraftChanged, and then changes nothing.
    """
    if len(text.encode()) > LONGEST_DRAFT:
        raise ValidationError("The text is larger than 1 MiB.")
    if "\x00" in text:
        raise ValidationError("The text holds a NUL character.")
    saved = (
        Policy.objects.for_organization(policy.organization_id)
        .filter(pk=policy.pk, draft_revision=revision)
        .update(
            draft=text,
            draft_revision=revision + 1,
            draft_by=by,
            draft_at=timezone.now(),
        )
    )
    policy.refresh_from_db()
    if not saved:
        raise DraftChanged(policy)


def publish(
    policy: Policy, by: User | None, comment: str = "", *, revision: int
) -> PolicyVersion:
    """Makes the draft of that revision the version in force.

    Raises DraftChanged or NotPublishable; then the version before stays in force.
    """
    with transaction.atomic():
        locked = _locked(policy)
        if locked.draft_revision != revision:
            raise DraftChanged(locked)
        return _publish(locked, locked.draft, by, comment)


def publish_text(
    policy: Policy, text: str, by: User | None, comment: str = ""
) -> PolicyVersion:
    """Makes `text` the version in force; a draft that differs from both stays."""
    with transaction.atomic():
        return _publish(_locked(policy), text, by, comment)


def rollback(policy: Policy, number: int, by: User | None) -> PolicyVersion:
    """Adds a version with the text of an older one.

    It is checked again: what has changed since (a pinned definition, say) may fail
    one of its tests now.
    """
    with transaction.atomic():
        locked = _locked(policy)
        old = versions(locked).get(number=number)
        return _publish(locked, old.text, by, "", restores=number)


def versions(policy: Policy) -> models.QuerySet[PolicyVersion]:
    """Newest first."""
    return (
        PolicyVersion.objects.for_organization(policy.organization_id)
        .filter(policy=policy)
        .order_by("-number")
    )


def _locked(policy: Policy) -> Policy:
    # The server first, as wherever its tools are written: from the moment at which a
    # version is published its verdicts are kept, so none may change under way.
    locking.locked(policy.server)
    # Locked, as two publishers would otherwise take the same next number. `current` is
    # not joined: after waiting, Postgres would join the version that was there before.
    return (
        Policy.objects.for_organization(policy.organization_id)
        .select_related("organization", "server")
        .select_for_update(of=("self",))
        .get(pk=policy.pk)
    )


def _publish(
    policy: Policy,
    text: str,
    by: User | None,
    comment: str,
    restores: int | None = None,
) -> PolicyVersion:
    if len(comment) > COMMENT_LENGTH:
        raise ValidationError(f"The comment has over {COMMENT_LENGTH} characters.")
    checked = check(text, policy, by)
    if checked.compiled is None or not checked.publishable:
        raise NotPublishable(checked)
    version = PolicyVersion.objects.create(
        organization=policy.organization,
        policy=policy,
        number=_next_number(policy),
        text=text,
        digest=checked.compiled.digest,
        comment=comment,
        restores=restores,
        published_by=by,
    )
    _put_in_force(policy, version)
    generation.changed(policy.organization)
    return version


def _next_number(policy: Policy) -> int:
    return (versions(policy).aggregate(last=Max("number"))["last"] or 0) + 1


def _put_in_force(policy: Policy, version: PolicyVersion) -> None:
    before = policy.current
    policy.current = version
    fields = ["current"]
    if not policy.draft or (before is not None and policy.draft == before.text):
        # Nobody was editing: the editor goes on from the new version.
        policy.draft = version.text
        policy.draft_revision += 1
        fields += ["draft", "draft_revision"]
    policy.save(update_fields=fields)
