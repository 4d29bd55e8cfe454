"""The approvals of one organization: tabs, filters, pages by keyset.

Waiting ones stand in the order in which they expire, others newest first. A page begins
behind a time and an id, never at an offset.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Prefetch, Q
from django.db.models.functions import Left, Length, Now

from accounts.models import Organization
from accounts.tenancy import TenantQuerySet
from approvals.models import Approval, State, Vote

PAGE = 25
# Names to choose from are those of the newest; others are typed into the address.
MOST_LOOKED_THROUGH = 1_000
# Characters of arguments that a list shows whole, which is what deciding there needs.
MOST_INLINE = 400
TABS = {"pending": "Waiting", "decided": "Decided", "expired": "Expired"}
WAITS = Q(state=State.PENDING, expires_at__gt=Now())
UNUSED = Q(state=State.APPROVED, usable_until__lte=Now())
OVER = Q(state=State.PENDING, expires_at__lte=Now())
OF_TAB = {
    "pending": WAITS,
    "decided": Q(state__in=(State.APPROVED, State.USED, State.DENIED, State.VOID))
    & ~UNUSED,
    "expired": Q(state__in=(State.EXPIRED, State.CANCELLED)) | UNUSED | OVER,
}
SEARCHED = (
    *("name", "arguments", "reason", "grant__label", "server__name"),
    *("requester__user__email", "client"),
)


class InboxForm(forms.Form):
    """Filters, by URL; `grant`, `server` and `tool` are names."""

    q = forms.CharField(required=False, max_length=200)
    server = forms.CharField(required=False, max_length=200)
    grant = forms.CharField(required=False, max_length=200)
    tool = forms.CharField(required=False, max_length=2000)

    @property
    def used(self) -> dict[str, str]:
        return {name: self.data[name] for name in self.fields if self.data.get(name)}


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is the query string of the page behind it, empty where there is none."""

    rows: list[Approval]
    older: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """To choose from."""

    servers: list[str]
    grants: list[str]
    tools: list[str]


def approvals_of(organization: Organization) -> TenantQuerySet[Approval]:
    return Approval.objects.for_organization(organization)


def tab_of(query: dict[str, str]) -> str:
    state = query.get("state", "")
    return state if state in TABS else "pending"


def filtered(
    organization: Organization, tab: str, form: InboxForm
) -> TenantQuerySet[Approval]:
    """In the order of the tab. `form` has been validated."""
    rows = approvals_of(organization).filter(OF_TAB[tab])
    given = form.cleaned_data
    names = {"server": "server__name", "grant": "grant__label", "tool": "name"}
    for field, column in names.items():
        if given.get(field):
            rows = rows.filter(**{column: given[field]})
    if given.get("q"):
        rows = rows.filter(_search(given["q"]))
    order = ("expires_at", "pk") if tab == "pending" else ("-created_at", "-pk")
    return rows.order_by(*order)


def page(
    organization: Organization, tab: str, form: InboxForm, query: dict[str, str]
) -> Page:
    """`query` may hold `before`, where the page before ended. Of the arguments, up to
    1 MiB each, rows have the `length` and what they begin with, `begins`."""
    if not form.is_valid():
        return Page([])
    rows = after(filtered(organization, tab, form), tab, query.get("before", ""))
    short = named(rows, organization).defer("arguments")
    begins, length = Left("arguments", MOST_INLINE + 1), Length("arguments")
    found: list[Any] = list(short.annotate(begins=begins, length=length)[: PAGE + 1])
    shown = found[:PAGE]
    if len(found) <= PAGE:
        return Page(shown)
    kept = form.used | {"state": tab, "before": cursor(shown[-1], tab)}
    return Page(shown, f"?{urlencode(kept)}")


def named(
    rows: TenantQuerySet[Approval], organization: Organization
) -> TenantQuerySet[Approval]:
    """With what a list says of each, in two queries."""
    votes = Vote.objects.for_organization(organization).order_by("at", "pk")
    joined = rows.select_related("organization", "grant", "server", "requester__user")
    return joined.prefetch_related(Prefetch("votes", queryset=votes))


def after(
    rows: TenantQuerySet[Approval], tab: str, cursor: str
) -> TenantQuerySet[Approval]:
    """What comes behind a cursor; all of it where that is none."""
    moment, _, key = cursor.partition("_")
    try:
        at, last = datetime.fromisoformat(moment), uuid.UUID(key)
    except ValueError:
        return rows
    if at.tzinfo is None:
        return rows
    if tab == "pending":
        return rows.filter(Q(expires_at__gt=at) | Q(expires_at=at, pk__gt=last))
    return rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=last))


def cursor(row: Approval, tab: str) -> str:
    at = row.expires_at if tab == "pending" else row.created_at
    return f"{at.isoformat()}_{row.pk}"


def names(organization: Organization) -> Names:
    """Of the newest approvals, in one query."""
    newest = approvals_of(organization).order_by("-created_at")
    found = list(
        newest.values_list("server__name", "grant__label", "name")[:MOST_LOOKED_THROUGH]
    )
    columns: Any = zip(*found, strict=True) if found else ((), (), ())
    return Names(*(sorted(set(column)) for column in columns))


def _search(text: str) -> Q:
    try:
        return Q(pk=uuid.UUID(text))
    except ValueError:
        found = Q()
        for name in SEARCHED:
            found |= Q(**{f"{name}__icontains": text})
        return found
