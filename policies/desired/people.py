"""Brings the organization and its members to what the file says."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import connection

from accounts import generation
from accounts.forms import OrganizationForm
from accounts.models import Membership, Organization, Role, User
from policies import deciders
from policies.desired.run import Refused, Run, refused
from policies.desired.wanted import Wanted, WantedMember, WantedOrganization

AT = ("organization",)
SLUG_LENGTH = 60
# A lock of Postgres is known by a number; this one is of our choosing.
ONE_RUN = 0x706C6170706C79


def bring_organization(wanted: WantedOrganization) -> Run:
    # One run after the other, so that two do not make the same things twice; the row
    # is locked against the pages, too.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_RUN])
    rows = Organization.objects.select_for_update()
    found = rows.filter(slug=wanted.slug).first()
    if found is None:
        made = _make_organization(wanted)
        return Run(made, [f"organization {made.slug}: made"])
    run = Run(found)
    _change_organization(run, wanted)
    return run


def _make_organization(wanted: WantedOrganization) -> Organization:
    try:
        validate_slug(wanted.slug)
    except ValidationError as error:
        raise refused((*AT, "slug"), error) from None
    if len(wanted.slug) > SLUG_LENGTH:
        raise Refused((*AT, "slug"), f"has over {SLUG_LENGTH} characters")
    given = {"name": wanted.name or wanted.slug, "zone": wanted.zone or "Etc/UTC"}
    return Organization.objects.create(slug=wanted.slug, **_checked(given))


def _change_organization(run: Run, wanted: WantedOrganization) -> None:
    organization = run.organization
    now = {"name": organization.name, "zone": organization.zone}
    asked = {"name": wanted.name or now["name"], "zone": wanted.zone or now["zone"]}
    if asked == now:
        return
    for field, value in _checked(asked).items():
        if value != now[field]:
            run.changes.append(f"organization {organization.slug}: {field} is {value}")
            setattr(organization, field, value)
    organization.save(update_fields=["name", "zone"])
    generation.changed(organization)


def _checked(given: dict[str, str]) -> dict[str, str]:
    form = OrganizationForm(given)
    if form.is_valid():
        return dict(form.cleaned_data)
    field, messages = next(iter(form.errors.items()))
    raise Refused((*AT, field), str(messages[0]))


def bring_members(run: Run, wanted: Wanted) -> None:
    before = set(deciders.left(run.organization))
    for member in wanted.members:
        _bring_member(run, member)
    run.notes.extend(
        f"policy {each.policy.name}: nobody can decide {each.rule} any more for the"
        f" grant {each.grant.label}"
        for each in deciders.left(run.organization)
        if each not in before
    )
    owners = _memberships(run).filter(role=Role.OWNER)
    if not owners.exists():
        raise Refused(("members",), "the organization would be left without an owner")


def _bring_member(run: Run, wanted: WantedMember) -> None:
    user = User.objects.filter(email__iexact=wanted.email).first()
    user = user or _make_account(run, wanted.email)
    membership = _memberships(run).filter(user=user).first()
    if membership is None:
        Membership.objects.create(
            organization=run.organization, user=user, role=wanted.role
        )
        run.changes.append(f"member {wanted.email}: added as {wanted.role}")
    elif membership.role != wanted.role:
        run.changes.append(
            f"member {wanted.email}: {wanted.role} instead of {membership.role}"
        )
        membership.role = wanted.role
        membership.save(update_fields=["role"])
        generation.changed(run.organization)


def _make_account(run: Run, email: str) -> User:
    """Without a password; the only way in is the mail to that address, and whoever
    comes by it has proven to read it. So the address counts as verified."""
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    run.invited.append(user)
    return user


def _memberships(run: Run):  # type: ignore[no-untyped-def]
    return Membership.objects.for_organization(run.organization)
