from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from django import forms

from accounts import members
from accounts.forms import Labelled
from accounts.models import Invitation, Membership, Role

MAY = {
    Role.OWNER: "All that an admin may, and owners, break-glass, deletion.",
    Role.ADMIN: "Also servers, credentials, everybody’s grants, members, settings.",
    Role.POLICY_MANAGER: "Also policies, verdicts of tools, grants of their own.",
    Role.APPROVER: "Also decides requests for approval.",
    Role.VIEWER: "Reads everything but secrets.",
}


def described(roles: list[Role]) -> list[tuple[str, str]]:
    """The narrowest first: each may what those before it may, and more."""
    return [(role.value, f"{role.label}. {MAY[role]}") for role in reversed(roles)]


class InviteForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
    )
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)

    def __init__(self, by: Membership, data: Any = None) -> None:
        super().__init__(data, initial={"role": Role.VIEWER})
        choice: Any = self.fields["role"]
        choice.choices = described(members.roles_to_give(by))


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)

    def __init__(self, by: Membership, member: Membership, data: Any = None) -> None:
        super().__init__(data, initial={"role": member.role})
        choice: Any = self.fields["role"]
        choice.choices = described(members.roles_to_give(by))


class InvitedForm(Labelled, allauth.SignupForm):  # type: ignore[misc]
    """The sign-up for the address that was invited, and for no other."""

    def __init__(self, invitation: Invitation, data: Any = None) -> None:
        super().__init__(data, initial={"email": invitation.email})
        self.fields["email"].disabled = True
        self.fields["email"].help_text = "The address that was invited."

    def validate_unique_email(self, value: str) -> str:
        """There may be an account that was never opened: invitations.py opens it."""
        return value


class MemberFilter(forms.Form):
    """Filters by URL; a value that is none is no filter."""

    q = forms.CharField(required=False, max_length=200)
    role = forms.ChoiceField(
        choices=[("", "Any role"), *Role.choices],
        required=False,
        widget=forms.Select(attrs={"aria-label": "Role"}),
    )
    after = forms.CharField(required=False, max_length=254)
