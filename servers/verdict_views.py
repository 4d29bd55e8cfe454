"""New verdicts of a server's tools, and accepting all that are shown."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from servers import tools, verdicts
from servers.models import Server

# Accepted together; those beyond are shown next.
PAGE = 200


@membership_required(Role.VIEWER)
def new_verdicts(request: MemberRequest, public_id: str) -> HttpResponse:
    server = access.get(request, Server, public_id=public_id)
    waiting = tools.matching(server, {"state": "new"})
    rows = list(waiting[: PAGE + 1])
    context: dict[str, Any] = {
        "server": server,
        "tools": [(row, verdicts.as_shown(row)) for row in rows[:PAGE]],
        "tools_count": str(len(rows[:PAGE])),
        "more": len(rows) > PAGE,
        "count": waiting.count(),
    }
    return render(request, "servers/new_verdicts.html", context)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def accept_verdicts(request: MemberRequest, public_id: str) -> HttpResponse:
    server = access.get(request, Server, public_id=public_id)
    posted = request.POST.getlist("shown")[:PAGE]
    shown = [one for text in posted if (one := verdicts.read_shown(text))]
    accepted = verdicts.accept(server, shown, request.user)
    if accepted:
        said = "1 verdict is" if accepted == 1 else f"{accepted} verdicts are"
        messages.success(request, f"{said} accepted.")
    if accepted < len(shown) or not accepted:
        messages.error(request, "Some changed meanwhile: look at them again.")
    left = tools.matching(server, {"state": "new"}).exists()
    return redirect("servers:new_verdicts" if left else "servers:detail", public_id)
