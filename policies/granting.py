"""Grants: minting, changing and revoking them.

A policy_manager handles grants of their own, an admin everybody's. `by` is None where
an operator acts from the machine's command line. What is refused is a ValidationError
by field, the same for pages and commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import generation
from accounts.forms import printable
from accounts.models import Membership, Role
from policies import deciders, tokens
from policies.models import Grant, Policy
from servers.models import Server

LABEL_LENGTH = 100
MOST_TAGS = 20
TAG_LENGTH = 50
# What makes other people decide about its calls, or makes it run again.
ASKS_ANEW = {"policy", "membership", "expires_at"}


class Minted(NamedTuple):
    """`token` is nowhere else: what is stored is its hash."""

    grant: Grant
    token: str


def may_handle_all(by: Membership | None) -> bool:
    return by is None or by.at_least(Role.ADMIN)


def may_handle(by: Membership | None, holder: Membership) -> bool:
    """Whether `by` may mint, change or revoke grants of `holder`."""
    if by is None or may_handle_all(by):
        return True
    return by.at_least(Role.POLICY_MANAGER) and by.pk == holder.pk


def endpoint(server: Server) -> str:
    """The URL that clients are pointed at."""
    return f"{settings.BASE_URL}/mcp/{server.public_id}"


@transaction.atomic
def mint(
    by: Membership | None,
    *,
    holder: Membership,
    server: Server,
    policy: Policy | None,
    label: str,
    tags: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> Minted:
    """Says nothing to the gateway: no snapshot can know a grant that is new."""
    _require(by, holder)
    token, digest, prefix = tokens.mint()
    grant = Grant(
        organization=holder.organization,
        membership=holder,
        server=server,
        policy=policy,
        label=label,
        tags=list(tags),
        token_hash=digest,
        token_prefix=prefix,
        expires_at=expires_at,
    )
    _check(grant, {"label": label, "tags": tags, "expires_at": expires_at})
    _check_deciders(grant)
    _hold(holder)
    _insert(grant)
    return Minted(grant, token)


@transaction.atomic
def change(by: Membership | None, grant: Grant, **wanted: Any) -> list[str]:
    """Sets `label`, `tags`, `policy`, `expires_at`, `helper_tool` or `holder`; says
    what differed.

    The server stays: the token was handed out for its endpoint.
    """
    _require(by, grant.membership)
    _still_runs(grant)
    if "holder" in wanted:
        wanted["membership"] = wanted.pop("holder")
        _require(by, wanted["membership"])
        _hold(wanted["membership"])
    differing = {
        name: value for name, value in wanted.items() if getattr(grant, name) != value
    }
    for name, value in differing.items():
        setattr(grant, name, value)
    _check(grant, differing)
    if differing:
        if ASKS_ANEW & differing.keys():
            _check_deciders(grant)
        grant.save(update_fields=list(differing))
        generation.changed(grant.organization)
    return list(differing)


@transaction.atomic
def revoke(by: Membership | None, grant: Grant) -> bool:
    """Ends the grant for good; False when it had ended before."""
    _require(by, grant.membership)
    ended = (
        Grant.objects.for_organization(grant.organization_id)
        .filter(pk=grant.pk, revoked_at=None)
        .update(revoked_at=timezone.now())
    )
    if ended:
        grant.refresh_from_db(fields=["revoked_at"])
        generation.changed(grant.organization)
    return bool(ended)


def check_label(label: str) -> None:
    if not label or label != label.strip():
        raise ValidationError("Give a label, without spaces around it.")
    if len(label) > LABEL_LENGTH:
        raise ValidationError(f"At most {LABEL_LENGTH} characters.")
    printable(label)


def check_tags(tags: object) -> None:
    if not isinstance(tags, (list, tuple)) or len(tags) > MOST_TAGS:
        raise ValidationError(f"At most {MOST_TAGS} tags.")
    for tag in tags:
        if not isinstance(tag, str) or not tag.strip() or tag != tag.strip():
            raise ValidationError("A tag is a word without spaces around it.")
        if len(tag) > TAG_LENGTH:
            raise ValidationError(f"A tag has at most {TAG_LENGTH} characters.")
        printable(tag)
    if len(set(tags)) != len(tags):
        raise ValidationError("The same tag is there twice.")


def check_expiry(moment: datetime | None) -> None:
    if moment is not None and moment <= timezone.now():
        raise ValidationError("This moment has passed: choose a later one.")


CHECKS: dict[str, Callable[[Any], None]] = {
    "label": check_label,
    "tags": check_tags,
    "expires_at": check_expiry,
}


def _check(grant: Grant, values: dict[str, Any]) -> None:
    problems: dict[str, Any] = {}
    for name in CHECKS.keys() & values.keys():
        try:
            CHECKS[name](values[name])
        except ValidationError as error:
            problems[name] = error
    if grant.policy is not None and grant.policy.server_id != grant.server_id:
        problems["policy"] = ValidationError(
            f"“{grant.policy.name}” is written for another server."
        )
    if "label" in values and "label" not in problems and _taken(grant):
        problems["label"] = ValidationError(
            "Another grant has this label, perhaps a revoked one."
        )
    if problems:
        raise ValidationError(problems)


def _check_deciders(grant: Grant) -> None:
    """Its policy must ask nobody who could not decide about its calls."""
    if grant.policy is None:
        return
    # Locked, as a version that is published meanwhile is checked without this grant.
    # Nothing is joined: after waiting, Postgres would join what was there before.
    rows = Policy.objects.for_organization(grant.organization_id)
    policy = rows.select_for_update(no_key=True).get(pk=grant.policy.pk)
    if found := deciders.undecidable_for(grant, policy):
        raise ValidationError({"policy": found.message})


def _taken(grant: Grant) -> bool:
    others = Grant.objects.for_organization(grant.organization_id).exclude(pk=grant.pk)
    return others.filter(label=grant.label).exists()


def _insert(grant: Grant) -> None:
    try:
        with transaction.atomic():
            grant.save(force_insert=True)
    except IntegrityError:
        # The check above has lost a race; any other cause is a fault of ours.
        if not _taken(grant):
            raise
        raise ValidationError({"label": "Another grant has this label."}) from None


def _require(by: Membership | None, holder: Membership) -> None:
    if not may_handle(by, holder):
        raise PermissionDenied


def _hold(holder: Membership) -> None:
    if not holder.hold():
        raise ValidationError({"member": "This person is no member any more."})


def _still_runs(grant: Grant) -> None:
    if grant.revoked_at is not None:
        raise ValidationError("This grant is revoked; mint another one.")
