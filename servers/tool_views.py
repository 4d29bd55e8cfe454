"""The page of one tool: its definition, what changed, its hold and its verdict."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access, generation
from accounts.access import MemberRequest, membership_required
from accounts.models import Role
from servers import classifying, pinning, tools, verdicts
from servers.classifying import Judged
from servers.definitions import pretty
from servers.forms import VerdictForm
from servers.models import Origin, Server, ToolDefinition


@membership_required(Role.VIEWER)
def tool(request: MemberRequest, public_id: str, tool_id: UUID) -> HttpResponse:
    server, row = _found(request, public_id, tool_id)
    return _page(request, server, row, _verdict_form(row))


@require_POST
@membership_required(Role.POLICY_MANAGER)
def set_verdict(request: MemberRequest, public_id: str, tool_id: UUID) -> HttpResponse:
    server, row = _found(request, public_id, tool_id)
    form = VerdictForm(request.POST)
    if not form.is_valid():
        return _page(request, server, row, form, status=422)
    verdicts.set_verdict(row, **form.cleaned_data, by=request.user)
    messages.success(request, "The verdict is saved.")
    return redirect("servers:tool", public_id, tool_id)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def accept_verdict(
    request: MemberRequest, public_id: str, tool_id: UUID
) -> HttpResponse:
    """Puts in force what the classifier says, as it was shown."""
    server, row = _found(request, public_id, tool_id)
    shown = verdicts.read_shown(request.POST.get("shown", ""))
    if (
        shown
        and shown.tool == row.pk
        and verdicts.accept(server, [shown], request.user)
    ):
        messages.success(request, "The classifier’s verdict is in force.")
    else:
        messages.error(request, "The verdict changed meanwhile: look at it again.")
    return redirect("servers:tool", public_id, tool_id)


@require_POST
@membership_required(Role.POLICY_MANAGER)
def accept(request: MemberRequest, public_id: str, tool_id: UUID) -> HttpResponse:
    """Ends a hold on exactly the definition, and the verdict, that were shown."""
    _, row = _found(request, public_id, tool_id)
    accepted = False
    if request.POST.get("verdict", "") == _shown(_pending(row)):
        with transaction.atomic():
            accepted = pinning.accept(
                row, request.POST.get("fingerprint", ""), timezone.now()
            )
            if accepted:
                generation.changed(request.organization)
    if accepted:
        messages.success(request, "The definition is accepted.")
    else:
        messages.error(request, "The definition changed meanwhile: look at it again.")
    return redirect("servers:tool", public_id, tool_id)


def _found(
    request: MemberRequest, public_id: str, tool_id: UUID
) -> tuple[Server, ToolDefinition]:
    server = access.get(request, Server, public_id=public_id)
    return server, access.get(request, ToolDefinition, pk=tool_id, server=server)


def _page(
    request: MemberRequest,
    server: Server,
    row: ToolDefinition,
    form: VerdictForm,
    status: int = 200,
) -> HttpResponse:
    context = {
        "server": server,
        "tool": row,
        "form": form,
        "shown": row.pending_fingerprint or row.fingerprint,
        "definition": pretty(row.definition),
        "judged": classifying.of_row(row),
        "pending": _pending(row),
        "shown_verdict": verdicts.as_shown(row),
        "waits": verdicts.waits(row),
        "changes": _changes(row),
        "outdated": _outdated(row),
        "in_force": generation.in_force(request.organization),
    }
    return render(request, "servers/tool.html", context, status=status)


def _outdated(row: ToolDefinition) -> bool:
    """A person's verdict on another definition than the pinned one."""
    if row.verdict_origin != Origin.PERSON or not row.verdict_at:
        return False
    return bool(row.changed_at and row.verdict_at < row.changed_at)


def _pending(row: ToolDefinition) -> Judged | None:
    """What the classifier says of the definition that waits."""
    return classifying.judge(row.pending_definition) if row.pending_definition else None


def _shown(judged: Judged | None) -> str:
    return judged.shown if judged else ""


def _changes(row: ToolDefinition) -> list[tools.Line] | None:
    if row.pending_definition:
        return tools.difference(row.definition, row.pending_definition)
    if row.previous_definition:
        return tools.difference(row.previous_definition, row.definition)
    return []


def _verdict_form(row: ToolDefinition) -> VerdictForm:
    """The severity is the usual one of what is chosen, unless a person chose it."""
    if row.verdict_origin == Origin.UNSET:
        return VerdictForm()
    chosen = row.severity if row.verdict_origin == Origin.PERSON else ""
    return VerdictForm(initial={"category": row.category, "severity": chosen})
