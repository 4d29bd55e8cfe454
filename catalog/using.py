"""“Use this policy”: a draft for one of the organization's own servers.

The catalogue's recommended policy for a server, in which every tool that the chosen
server lists itself goes by its live definition and verdict. A draft: nothing is in
force until it is published.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.access import MemberRequest, membership_required
from accounts.models import Organization, Role, User
from accounts.templatetags.ui import visible
from catalog.models import CatalogServer, CatalogTool, Source, Status
from policies import beginnings, drafting, publishing
from policies.models import Policy
from policies.pinned import pinned
from policies.recommended import Known
from servers.definitions import printable
from servers.models import Server

MOST_SERVERS = 200
SUFFIX = " – from the catalogue"
STARTS = {Source.PYPI: "uvx {}", Source.NPM: "npx -y {}"}


class Mix(NamedTuple):
    """What a draft is made of: how many tools go by their live definition, how many
    by the catalogue's, and how many of the live ones the catalogue does not know."""

    tools: list[Known]
    live: int
    kept: int
    new: int


class UseForm(forms.Form):
    server = forms.ModelChoiceField(
        queryset=Server.objects.none(),
        to_field_name="public_id",
        empty_label=None,
        widget=forms.RadioSelect,
        help_text="Those with the same tools come first.",
    )

    def __init__(
        self, organization: Organization, tools: list[CatalogTool], data: Any = None
    ) -> None:
        super().__init__(data)
        names = [tool.name for tool in tools]
        same = Q(tools__listed=True, tools__name__in=names)
        rows = Server.objects.for_organization(organization)
        ranked = rows.annotate(same=Count("tools", filter=same))
        found = list(ranked.order_by("-same", "name")[:MOST_SERVERS])
        field: Any = self.fields["server"]
        field.queryset = rows.select_related("organization")
        field.choices = [(each.public_id, _label(each, len(names))) for each in found]
        self.has_servers = bool(found)
        if found and found[0].same:
            field.initial = found[0].public_id


@membership_required(Role.POLICY_MANAGER)
def use(request: MemberRequest, server: str) -> HttpResponse:
    found = get_object_or_404(
        CatalogServer.objects.exclude(status=Status.DELETED), slug=server
    )
    columns = ("server_id", "name", "category", "verdict")
    tools = list(found.listing.filter(listed=True).only(*columns))
    form = UseForm(request.organization, tools, request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["server"]
        try:
            policy, made = draft(found, tools, chosen, request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _said(made))
            return redirect("policies:detail", policy.pk)
    context = {
        "found": found,
        "count": len(tools),
        "form": form,
        "command": STARTS.get(Source(found.source_kind), "").format(found.source),
        "add": _add_address(found),
    }
    status = 422 if form.errors else 200
    return render(request, "catalog/use.html", context, status=status)


def draft(
    found: CatalogServer, tools: list[CatalogTool], server: Server, by: User
) -> tuple[Policy, Mix]:
    """Raises ValidationError where somebody takes the policy's name meanwhile."""
    made = mixed(tools, server)
    source = printable(found.name, publishing.NAME_LENGTH) or found.slug
    version = f" {printable(found.version, 40)}" if found.version else ""
    said = f"The catalogue's policy for {source}{version}, by what the server lists."
    text = drafting.recommended_draft(made.tools, said, server.organization)
    name = beginnings.free_name(server.organization, source, SUFFIX)
    return publishing.create(server, name, text, by), made


def mixed(tools: list[CatalogTool], server: Server) -> Mix:
    """Live where there is a definition, else as the catalogue knows it; by name."""
    catalogued = {
        tool.name: Known(tool.name, tool.category, bool(tool.verdict.get("doubtful")))
        for tool in tools
    }
    live = {tool.name: tool for tool in pinned(server).recommendable}
    every = catalogued | live
    return Mix(
        [every[name] for name in sorted(every)],
        live=len(live),
        kept=len(catalogued.keys() - live.keys()),
        new=len(live.keys() - catalogued.keys()),
    )


def _label(server: Any, count: int) -> str:
    """Names in a choice cannot be isolated: what is invisible in them is shown."""
    return f"{visible(server.name)}: {server.same} of {count} tools are the same"


def _said(made: Mix) -> str:
    said = f"The draft is made: {made.live} tools by their live definitions"
    if made.new:
        said += f" ({made.new} of them are not in the catalogue)"
    if made.kept:
        said += f", {made.kept} as the catalogue knows them, which the server lacks"
    return f"{said}."


def _add_address(found: CatalogServer) -> str:
    """Of the form that adds the server, filled in where it has an address."""
    place = reverse("servers:add")
    if found.source_kind != Source.URL:
        return place
    return f"{place}?{urlencode({'url': found.source})}"
