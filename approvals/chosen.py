"""A decision that waits for a fresh sign-in: what was chosen, kept in the session.

Nothing is sent by itself afterwards: the page comes back filled in, and its button is
pressed once more.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

KEY = "approvals.chosen"
# Beyond it the rows of arguments are left out: what was written is kept.
MOST_CHARACTERS = 20_000
WRITTEN = ("choice", "preset", "reason", "minutes", "opened")

Fields = dict[str, str]


def keep(request: HttpRequest, approval_id: UUID, posted: Fields) -> None:
    """Of one request at a time, as one is decided at a time."""
    fields = {k: v for k, v in posted.items() if k != "csrfmiddlewaretoken"}
    if sum(len(name) + len(value) for name, value in fields.items()) > MOST_CHARACTERS:
        fields = {name: fields[name] for name in WRITTEN if name in fields}
    request.session[KEY] = {"approval": str(approval_id), "fields": fields}


def kept(request: HttpRequest, approval_id: UUID) -> Fields | None:
    found = request.session.get(KEY)
    if not found or found["approval"] != str(approval_id):
        return None
    fields: Fields = found["fields"]
    return fields


def forget(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
