"""The activity of one organization: filters, and pages by keyset.

A page is found by the id of a call, which holds its time: never by an offset, never by
counting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db import OperationalError, connection, transaction
from django.db.models import Q

from accounts.models import Organization
from accounts.tenancy import TenantQuerySet
from audit import moments
from audit.ids import time_of
from audit.models import Decided, Outcome, Record

PAGE = 50
# A search reads as many records as it must; it ends here, and the page says so.
TIMEOUT_MS = 3_000
SEARCHED = ("name", "method", "grant_label", "server_name", "member", "client", "rule")


class ActivityForm(forms.Form):
    """Filters, by URL; `grant`, `server` and `tool` are names as recorded."""

    q = forms.CharField(required=False, max_length=200)
    server = forms.CharField(required=False, max_length=200)
    grant = forms.CharField(required=False, max_length=200)
    tool = forms.CharField(
        required=False, max_length=2000, label="Tool, resource or prompt"
    )
    method = forms.CharField(required=False, max_length=200)
    decision = forms.ChoiceField(
        required=False, choices=[("", "Any decision"), *Decided.choices]
    )
    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "Any outcome"), ("open", "In progress"), *Outcome.choices],
    )
    since = forms.CharField(required=False, max_length=40, label="From")
    until = forms.CharField(required=False, max_length=40, label="To")

    def __init__(self, zone: ZoneInfo, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._zone = zone

    def clean_since(self) -> datetime | None:
        return self._moment("since")

    def clean_until(self) -> datetime | None:
        return self._moment("until")

    def _moment(self, name: str) -> datetime | None:
        text = self.cleaned_data[name]
        try:
            return moments.parse(text, self._zone) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    @property
    def rarer(self) -> list[forms.BoundField]:
        return [self[name] for name in ("tool", "method", "since", "until")]

    @property
    def more(self) -> bool:
        """Whether one of the rarer filters is in use."""
        return any(field.data for field in self.rarer)

    @property
    def used(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


def _outcome(value: str) -> Q:
    if value == "open":
        return Q(outcome=None, decision="allow")
    return Q(outcome=value)


def _search(text: str) -> Q:
    try:
        id = UUID(text)
        return Q(id=id) | Q(approval_id=id)
    except ValueError:
        found = Q()
        for name in SEARCHED:
            found |= Q(**{f"{name}__icontains": text})
        return found


FILTERS: dict[str, Callable[[Any], Q]] = {
    "q": _search,
    "server": lambda name: Q(server_name=name),
    "grant": lambda label: Q(grant_label=label),
    "tool": lambda name: Q(name=name),
    "method": lambda method: Q(method=method),
    "decision": lambda decision: Q(decision=decision),
    "outcome": _outcome,
    "since": lambda at: Q(time__gte=at),
    "until": lambda at: Q(time__lt=at),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `newer` and `older` are query strings of the pages beside it."""

    records: list[Record]
    newer: str = ""
    older: str = ""
    too_slow: bool = False


def records_of(organization: Organization) -> TenantQuerySet[Record]:
    return Record.objects.for_organization(organization)


def page(organization: Organization, form: ActivityForm, query: dict[str, str]) -> Page:
    """`query` may hold `before` or `after`, the id of a call."""
    if not form.is_valid():
        return Page([])
    rows = records_of(organization)
    for name, value in form.cleaned_data.items():
        if value:
            rows = rows.filter(FILTERS[name](value))
    kept = {name: form.data[name] for name in form.fields if form.data.get(name)}
    try:
        return _page(
            rows, kept, _place(query.get("before")), _place(query.get("after"))
        )
    except OperationalError:
        return Page([], too_slow=True)


def _place(text: str | None) -> tuple[datetime, UUID] | None:
    try:
        id = UUID(text or "")
        return time_of(id), id
    except (ValueError, OverflowError):
        return None


Place = tuple[datetime, UUID] | None


def _page(
    rows: TenantQuerySet[Record], kept: dict[str, str], before: Place, after: Place
) -> Page:
    if after is not None:
        found = _bounded(rows.filter(pk__gt=after).order_by("time", "id"))
        records = found[:PAGE][::-1]
        return Page(
            records,
            newer=_link(kept, "after", records[:1]) if len(found) > PAGE else "",
            older=_link(kept, "before", records[-1:]),
        )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = _bounded(rows.order_by("-time", "-id"))
    records = found[:PAGE]
    return Page(
        records,
        newer=_link(kept, "after", records[:1]) if before is not None else "",
        older=_link(kept, "before", records[-1:]) if len(found) > PAGE else "",
    )


def _bounded(rows: TenantQuerySet[Record]) -> list[Record]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [str(TIMEOUT_MS)]
            )
        return list(
            rows.defer("arguments", "arguments_read", "limits", "asks")[: PAGE + 1]
        )


def _link(kept: dict[str, str], name: str, records: list[Record]) -> str:
    return "".join(f"?{urlencode(kept | {name: str(one.id)})}" for one in records)
