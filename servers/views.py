"""Pages of servers: list, add, the server itself, edit, test, delete."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import access, generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from servers import beginnings, credentials, discovery, registering, tools
from servers.diagnosis import Failed
from servers.discovery import Discovery
from servers.endings import what_ends
from servers.forms import (
    CHANGED,
    AddServerForm,
    DeleteServerForm,
    EditServerForm,
    ToolFilter,
    host_of,
)
from servers.models import Server
from servers.naming import free_name
from servers.refreshing import headers_of, refresh
from servers.registering import NameTaken, Stale

SECRETS = ("token", "header_value")
TAKEN = "Another server of this organization has this name."


@membership_required(Role.VIEWER)
def list_servers(request: MemberRequest) -> HttpResponse:
    query = request.GET.get("q", "")[:200].replace("\0", "")
    rows = Server.objects.for_organization(request.organization).order_by("name")
    shown = rows.annotate(
        listed=Count("tools", filter=Q(tools__listed=True)),
        held=Count("tools", filter=Q(tools__held_at__isnull=False)),
    )
    if query:
        shown = shown.filter(Q(name__icontains=query) | Q(url__icontains=query))
    context = {"servers": list(shown[:500]), "q": query, **_sandbox(request)}
    return render(request, "servers/list.html", context)


@sensitive_post_parameters(*SECRETS)
@never_cache
@membership_required(Role.ADMIN)
def add(request: MemberRequest) -> HttpResponse:
    asked = request.GET.get("url", "")[:2000].replace("\0", "")
    form = AddServerForm(request.POST or None, initial={"url": asked} if asked else {})
    if request.method == "POST" and form.is_valid():
        url, headers = form.cleaned_data["url"], form.headers
        try:
            found = discovery.discover(url, headers)
            server = _register(request, form.cleaned_data["name"], url, headers, found)
            return _added(request, server, found)
        except Failed as failed:
            form.refuse(failed)
        except NameTaken:
            form.add_error("name", TAKEN)
    context = {"form": form, **_sandbox(request)}
    return render(request, "servers/add.html", context, status=_status(form.errors))


@require_POST
@membership_required(Role.ADMIN)
def add_sandbox(request: MemberRequest) -> HttpResponse:
    rows = Server.objects.for_organization(request.organization)
    server = rows.filter(url=settings.SANDBOX_URL).first()
    if not settings.SANDBOX_URL:
        messages.error(request, "This installation runs no sandbox.")
        return redirect("servers:list")
    if server is not None:
        return redirect("servers:detail", server.public_id)
    try:
        found = discovery.discover(settings.SANDBOX_URL, {})
    except Failed as failed:
        messages.error(request, f"The sandbox cannot be reached. {failed.what}")
        return redirect("servers:add")
    server = _register(request, "", settings.SANDBOX_URL, {}, found)
    return _added(request, server, found)


@membership_required(Role.VIEWER)
def detail(request: MemberRequest, public_id: str) -> HttpResponse:
    server = access.get(request, Server, public_id=public_id)
    return render(request, "servers/detail.html", _detail(request, server))


@require_POST
@membership_required(Role.POLICY_MANAGER)
def check(request: MemberRequest, public_id: str) -> HttpResponse:
    """The connection test: a fragment for htmx, else a message and the page."""
    server = access.get(request, Server, public_id=public_id)
    tested = _tested(server)
    if request.headers.get("HX-Request"):
        server.refresh_from_db()
        context = _detail(request, server) | {"tested": tested}
        return render(request, "servers/_server.html", context)
    tell = messages.success if tested["good"] else messages.error
    tell(request, f"{tested['what']} {tested['fix']}".strip())
    return redirect("servers:detail", public_id)


@sensitive_post_parameters(*SECRETS)
@never_cache
@membership_required(Role.ADMIN)
def edit(request: MemberRequest, public_id: str) -> HttpResponse:
    server = access.get(request, Server, public_id=public_id)
    form = EditServerForm(server, request.POST or None)
    failed: Failed | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _edited(request, server, form)
        except Failed as error:
            failed = error
            form.refuse(failed)
        except NameTaken:
            form.add_error("name", TAKEN)
    context = {
        "server": server,
        "form": form,
        "failed": failed,
        "headers": [row.header for row in credentials.of_server(server)],
    }
    return render(request, "servers/edit.html", context, status=_status(form.errors))


@membership_required(Role.ADMIN)
def delete(request: MemberRequest, public_id: str) -> HttpResponse:
    server = access.get(request, Server, public_id=public_id)
    form = DeleteServerForm(server, request.POST or None)
    if request.method == "POST" and form.is_valid():
        registering.remove(server)
        messages.success(request, f"{server.name} is deleted.")
        return redirect("servers:list")
    context = {"server": server, "form": form, "ends": what_ends(server)}
    return render(request, "servers/delete.html", context, status=_status(form.errors))


def _register(
    request: MemberRequest,
    name: str,
    url: str,
    headers: dict[str, str],
    found: Discovery,
) -> Server:
    organization = request.organization
    name = name or free_name(organization, found, host_of(url))
    with transaction.atomic():
        server = registering.register(organization, name, url, headers, found)
        beginnings.begin(server, request.user)
    return server


def _added(request: MemberRequest, server: Server, found: Discovery) -> HttpResponse:
    messages.success(request, f"{server.name} is added: {_summary(found)}")
    return redirect("servers:detail", server.public_id)


def _edited(
    request: MemberRequest, server: Server, form: EditServerForm
) -> HttpResponse:
    """Asks the server first wherever URL or credentials change. Raises `Failed`."""
    given, headers = form.cleaned_data, form.new_headers
    if headers is None and registering.moves(server, given["url"]):
        headers = {}
    found = None
    if given["url"] != server.url or headers is not None:
        used = headers_of(server) if headers is None else headers
        try:
            found = discovery.discover(given["url"], used)
        except Failed:
            if "anyway" not in request.POST:
                raise
    registering.update_server(
        server,
        headers=headers,
        discovery=found,
        **{name: given[name] for name in CHANGED},
    )
    messages.success(request, f"{given['name']} is saved.")
    return redirect("servers:detail", server.public_id)


def _tested(server: Server) -> dict[str, Any]:
    try:
        found = refresh(server)
    except Failed as failed:
        return {"good": False, "what": failed.what, "fix": failed.fix}
    except Stale:
        return {
            "good": False,
            "what": "The server was changed meanwhile.",
            "fix": "Test again.",
        }
    return {"good": True, "what": _summary(found), "fix": ""}


def _summary(found: Discovery) -> str:
    count = len(found.tools)
    tools_found = f"{count} tool{'' if count == 1 else 's'}"
    return f"{found.title}, revision {found.revision}, {tools_found}."


def _detail(request: MemberRequest, server: Server) -> dict[str, Any]:
    form = ToolFilter(request.GET)
    form.is_valid()
    rows = list(tools.matching(server, form.cleaned_data)[: tools.PAGE + 1])
    more = len(rows) > tools.PAGE
    return {
        "server": server,
        "endpoint": f"{settings.BASE_URL}/mcp/{server.public_id}",
        "headers": [row.header for row in credentials.of_server(server)],
        "counts": tools.counts(server),
        "categories": tools.categories(server),
        "offers": beginnings.offered(server),
        "tools": rows[: tools.PAGE],
        "next_after": rows[tools.PAGE - 1].name if more else "",
        "filter": form,
        "filtered": any(form.cleaned_data.values()),
        "in_force": generation.in_force(request.organization),
    }


def _sandbox(request: MemberRequest) -> dict[str, Any]:
    """Whether there is a sandbox that this organization does not have yet."""
    url = settings.SANDBOX_URL
    rows = Server.objects.for_organization(request.organization)
    return {"sandbox": bool(url) and not rows.filter(url=url).exists()}


def _status(errors: object) -> int:
    return 422 if errors else 200
