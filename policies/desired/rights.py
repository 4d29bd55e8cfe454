"""Brings policies and grants to what the file says."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Membership
from policies import granting, publishing
from policies.desired.run import Refused, Run, refused
from policies.desired.wanted import Wanted, WantedGrant, WantedPolicy
from policies.document import parse
from policies.models import Grant, Policy
from policies.positions import Path
from servers.models import Server

COMMENT = "manage.py apply"


def bring_policies(run: Run, wanted: Wanted) -> None:
    for policy in wanted.policies:
        _bring_policy(run, policy)


def _bring_policy(run: Run, wanted: WantedPolicy) -> None:
    policy = _find_policy(run, wanted) or _make_policy(run, wanted)
    digest = parse(wanted.text).digest
    if policy.current is not None and policy.current.digest == digest:
        return
    try:
        version = publishing.publish_text(policy, wanted.text, None, COMMENT)
    except publishing.NotPublishable as error:
        at = (*wanted.at, "document")
        raise Refused(at, publishing.refusal(error.checked)) from None
    run.changes.append(f"policy {wanted.name}: version {version.number} published")
    checked = publishing.check(wanted.text, policy, None)
    run.notes.extend(
        f"policy {wanted.name}: {warning.pointer} {warning.message}"
        for warning in checked.warnings
    )


def _find_policy(run: Run, wanted: WantedPolicy) -> Policy | None:
    policy = (
        Policy.objects.for_organization(run.organization)
        .select_related("server", "current", "organization")
        .filter(name=wanted.name)
        .first()
    )
    if policy is not None and policy.server.name != wanted.server:
        raise Refused(
            (*wanted.at, "server"),
            f"the policy {wanted.name} is one of {policy.server.name}; a policy stays"
            " with its server",
        )
    return policy


def _make_policy(run: Run, wanted: WantedPolicy) -> Policy:
    server = _server(run, (*wanted.at, "server"), wanted.server)
    try:
        return publishing.create(server, wanted.name, "", None)
    except ValidationError as error:
        raise Refused((*wanted.at, "name"), error.messages[0]) from None


def bring_grants(run: Run, wanted: Wanted) -> None:
    for grant in wanted.grants:
        _bring_grant(run, grant)


def _bring_grant(run: Run, wanted: WantedGrant) -> None:
    grant = (
        Grant.objects.for_organization(run.organization)
        .select_related("organization", "server", "policy", "membership__user")
        .filter(label=wanted.label)
        .first()
    )
    if wanted.revoked:
        if grant is not None and granting.revoke(None, grant):
            run.changes.append(f"grant {wanted.label}: revoked")
    elif grant is None:
        _mint(run, wanted)
    else:
        _change(run, wanted, grant)


def _mint(run: Run, wanted: WantedGrant) -> None:
    given = _given(run, wanted)
    server = _server(run, (*wanted.at, "server"), wanted.server)
    try:
        minted = granting.mint(
            None,
            server=server,
            label=wanted.label,
            **{"policy": None, "tags": []} | given,
        )
    except ValidationError as error:
        raise refused(wanted.at, error) from None
    run.tokens[wanted.label] = minted.token
    run.changes.append(f"grant {wanted.label}: minted")


def _change(run: Run, wanted: WantedGrant, grant: Grant) -> None:
    if grant.revoked_at is not None:
        raise Refused(
            wanted.at,
            f"the grant {wanted.label} was revoked on {grant.revoked_at:%Y-%m-%d}, and"
            ' that is for good: write "revoked": true, or take another label',
        )
    if grant.server.name != wanted.server:
        raise Refused(
            (*wanted.at, "server"),
            f"the grant {wanted.label} is one for {grant.server.name}, and its token"
            " stays with that endpoint: take another label",
        )
    try:
        changed = granting.change(None, grant, **_given(run, wanted))
    except ValidationError as error:
        raise refused(wanted.at, error) from None
    names = {"membership": "member"}
    run.changes.extend(
        f"grant {wanted.label}: {names.get(name, name)} changed" for name in changed
    )


def _given(run: Run, wanted: WantedGrant) -> dict[str, Any]:
    """What the file says of holder, policy and tags."""
    given: dict[str, Any] = {"holder": _member(run, wanted)}
    if wanted.policy is not None:
        given["policy"] = _policy(run, wanted)
    if wanted.tags is not None:
        given["tags"] = list(wanted.tags)
    return given


def _member(run: Run, wanted: WantedGrant) -> Membership:
    found = (
        Membership.objects.for_organization(run.organization)
        .select_related("organization", "user")
        .filter(user__email__iexact=wanted.member)
        .first()
    )
    if found is None:
        raise Refused((*wanted.at, "member"), f"{wanted.member} is no member")
    return found


def _policy(run: Run, wanted: WantedGrant) -> Policy:
    rows = Policy.objects.for_organization(run.organization)
    found = rows.filter(name=wanted.policy).first()
    if found is None:
        raise Refused((*wanted.at, "policy"), f"there is no policy {wanted.policy}")
    return found


def _server(run: Run, path: Path, name: str) -> Server:
    rows = Server.objects.for_organization(run.organization)
    found = rows.select_related("organization").filter(name=name).first()
    if found is None:
        raise Refused(path, f"there is no server {name}")
    return found
