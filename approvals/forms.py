"""What people post about approvals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Membership
from accounts.templatetags.ui import visible
from approvals.models import Via
from approvals.waiving import MINUTES
from policies.forms import MomentField, VisibleChoice

REASON_LENGTH = 2000
OWN_WORDS = "own"
# The agent reads them: what happened, and what to do next.
PRESETS = {
    "not_now": "Not this time.",
    "wrong_arguments": "The arguments are wrong: correct them, then ask again.",
    "explain": "Say first what this is for, then ask again.",
    "not_for_agents": "This is not for an agent to do; a person will.",
}
LONGEST_DELEGATION = timedelta(days=90)


class DecisionForm(forms.Form):
    """`choice` is what the button of one of three forms stands for."""

    choice = forms.ChoiceField(
        choices=[("once", "Approve once"), ("while", "For a while"), ("deny", "Deny")]
    )
    minutes = forms.TypedChoiceField(
        label="For how long",
        choices=[(15, "15 minutes"), (60, "1 hour")],
        coerce=int,
        required=False,
        initial=MINUTES[0],
    )
    preset = forms.ChoiceField(
        label="Reason",
        choices=[*PRESETS.items(), (OWN_WORDS, "Only what I write below")],
        required=False,
        initial="not_now",
    )
    reason = forms.CharField(
        label="In your words",
        max_length=REASON_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    via = forms.ChoiceField(choices=[(Via.PAGE, ""), (Via.INBOX, "")], required=False)
    opened = forms.CharField(required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("choice") == "deny" and not self.told:
            self.add_error("reason", "Say why: the agent is told.")
        return given

    @property
    def told(self) -> str:
        """What the agent is told of a denial."""
        preset = PRESETS.get(self.cleaned_data.get("preset", ""), "")
        return f"{preset} {self.cleaned_data.get('reason', '')}".strip()

    @property
    def for_minutes(self) -> int:
        return self.cleaned_data.get("minutes") or MINUTES[0]

    @property
    def way(self) -> Via:
        return Via(self.cleaned_data.get("via") or Via.PAGE)


class DelegationForm(forms.Form):
    """Who decides in my place, and until when."""

    def __init__(self, giver: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Membership.objects.for_organization(giver.organization)
        zone = giver.organization.zone
        self.fields["to"] = MemberChoice(
            label="Who decides in your place",
            queryset=others.exclude(pk=giver.pk)
            .filter(user__is_active=True)
            .select_related("user")
            .order_by("user__email"),
            empty_label="Choose",
        )
        self.fields["ends_at"] = MomentField(
            ZoneInfo(zone),
            label="Until",
            help_text=f"In {zone}; at most {LONGEST_DELEGATION.days} days from now.",
        )

    def clean_ends_at(self) -> Any:
        ends, now = self.cleaned_data["ends_at"], timezone.now()
        if ends <= now:
            raise ValidationError("Choose a time to come.")
        if ends > now + LONGEST_DELEGATION:
            raise ValidationError(f"At most {LONGEST_DELEGATION.days} days from now.")
        return ends


class MemberChoice(VisibleChoice):
    def label_from_instance(self, obj: Any) -> str:
        return visible(f"{obj.user.email} ({obj.get_role_display()})")
