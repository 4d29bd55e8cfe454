"""The page on which a verdict of the catalogue is disputed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from catalog import disputes
from catalog.contact_form import text_only
from catalog.models import CatalogTool, DisputeState, Status
from servers.models import Category, Severity

ALREADY = "Your organization has an open dispute of this tool: one at a time."
CHANGED = "The tool's definition changed meanwhile: look at it again."
MOST_SHOWN = 20


class DisputeForm(forms.Form):
    category = forms.ChoiceField(choices=[("", "Choose"), *Category.choices])
    severity = forms.ChoiceField(choices=[("", "Choose"), *Severity.choices])
    reason = forms.CharField(
        max_length=disputes.LONGEST,
        validators=[text_only],
        help_text="What the tool does, and where it says so. The operator reads it.",
        widget=forms.Textarea(attrs={"rows": 6, "maxlength": disputes.LONGEST}),
    )
    fingerprint = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, tool: CatalogTool, data: Any = None) -> None:
        self.tool = tool
        super().__init__(data, initial={"fingerprint": tool.fingerprint})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("fingerprint") != self.tool.fingerprint:
            self.add_error(None, CHANGED)
        said = (cleaned.get("category"), cleaned.get("severity"))
        if said == (self.tool.category, self.tool.severity):
            self.add_error("category", "This is the verdict that it has.")
        return cleaned


@membership_required(Role.VIEWER)
def dispute(request: MemberRequest, server: str, tool: str) -> HttpResponse:
    found = _found(server, tool)
    form = DisputeForm(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            disputes.dispute(
                found,
                request.organization,
                request.user,
                given["category"],
                given["severity"],
                given["reason"],
            )
        except disputes.AlreadyOpen:
            form.add_error(None, ALREADY)
        else:
            messages.success(request, "The dispute is filed.")
            return redirect("catalog:dispute", server, tool)
    mine = list(disputes.of_tool(found, request.organization)[:MOST_SHOWN])
    context = {
        "tool": found,
        "server": found.server,
        "form": form,
        "disputes": mine,
        "open": any(each.state == DisputeState.OPEN for each in mine),
    }
    status = 422 if form.errors else 200
    return render(request, "catalog/dispute.html", context, status=status)


def _found(server: str, tool: str) -> CatalogTool:
    rows = CatalogTool.objects.select_related("server").filter(listed=True)
    rows = rows.exclude(server__status=Status.DELETED)
    found = rows.filter(server__slug=server, slug=tool).first()
    if found is None:
        raise Http404
    return found
