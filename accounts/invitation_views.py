"""Inviting, and the page that the link of an invitation leads to."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import access, invitation_mail, invitations
from accounts.access import MemberRequest, membership_required
from accounts.invitation_mail import NotSent
from accounts.member_forms import InvitedForm, InviteForm
from accounts.models import Invitation, Membership, Role, User


@membership_required(Role.ADMIN)
def invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.membership, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _invited(request, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
    status = 422 if form.errors else 200
    return render(request, "accounts/invite.html", {"form": form}, status=status)


@require_POST
@membership_required(Role.ADMIN)
def resend(request: MemberRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Another mail with another link; the one before ends."""
    invitation = _pending(request, invitation_id)
    try:
        return _invited(request, invitation.email, invitation.role)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("accounts:members")


@require_POST
@membership_required(Role.ADMIN)
def withdraw(request: MemberRequest, invitation_id: uuid.UUID) -> HttpResponse:
    invitation = _pending(request, invitation_id)
    if invitations.withdraw(request.membership, invitation):
        messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect("accounts:members")


@sensitive_post_parameters("password1")
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET shows it; POST accepts it, as who is signed in or with a new account."""
    found = invitations.find(token)
    if found is None:
        return render(request, "accounts/invitation_gone.html", status=404)
    if request.user.is_authenticated:
        return _for_user(request, found, request.user)
    account = invitations.account_of(found.email)
    if account is not None and invitations.is_claimed(account):
        return _to_sign_in(request, found)
    return _for_newcomer(request, found)


def _invited(request: MemberRequest, email: str, role: str) -> HttpResponse:
    """Raises ValidationError."""
    sent = invitations.invite(request.membership, email, role)
    try:
        invitation_mail.send(sent)
    except NotSent:
        invitation_mail.log.exception("the mail of an invitation was not sent")
        messages.error(
            request,
            f"{sent.invitation.email} is invited, but the mail could not be sent:"
            " send it again later.",
        )
    else:
        messages.success(request, f"{sent.invitation.email} is invited by mail.")
    return redirect("accounts:members")


def _pending(request: MemberRequest, invitation_id: uuid.UUID) -> Invitation:
    rows = invitations.pending(request.organization)
    return access.get(request, rows, pk=invitation_id)


def _for_user(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    other = user.email.lower() != found.email
    if request.method != "POST" or other:
        status = 403 if request.method == "POST" else 200
        return _page(request, found, status, other=other)
    try:
        membership = invitations.accept(found, user)
    except invitations.Gone:
        return redirect(request.path)
    return _welcome(request, membership)


def _to_sign_in(request: HttpRequest, found: Invitation) -> HttpResponseBase:
    if request.method == "POST":
        return redirect(f"{reverse('account_login')}?next={request.path}")
    return _page(request, found, sign_in=True)


def _for_newcomer(request: HttpRequest, found: Invitation) -> HttpResponseBase:
    form = InvitedForm(found, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, found, 422 if form.errors else 200, form=form)
    try:
        user = invitations.open_account(found, form.cleaned_data["password1"])
    except (invitations.Gone, PermissionDenied):
        # Used at the same moment: what the link is good for now is shown anew.
        return redirect(request.path)
    signed_in: HttpResponse = perform_login(request, user, redirect_url="/")
    _choose(request, user.memberships.for_organization(found.organization).get())
    return signed_in


def _page(
    request: HttpRequest, found: Invitation, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"invitation": found, **more}
    return render(request, "accounts/invitation.html", context, status=status)


def _welcome(request: HttpRequest, membership: Membership) -> HttpResponse:
    _choose(request, membership)
    name = membership.organization.name
    messages.success(request, f"You are a member of “{name}” now.")
    return redirect("home")


def _choose(request: HttpRequest, membership: Membership) -> None:
    """The organization that the next page is about."""
    request.session[access.SESSION_KEY] = str(membership.organization_id)
