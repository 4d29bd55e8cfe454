from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms import OrganizationForm, printable
from accounts.models import Organization

KEYS_MOST, KEY_LENGTH = 200, 100
GENERAL = ("name", "zone")
APPROVALS = (
    *("pending_most", "mails_most", "publishers_decide", "api_decisions"),
    "redacted_keys",
)


class KeysField(forms.CharField):
    """Names, one on a line; cleaned, a list without doubles."""

    widget = forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = (line.strip() for line in str(super().clean(value)).splitlines())
        keys = list(dict.fromkeys(line for line in lines if line))
        if len(keys) > KEYS_MOST:
            raise ValidationError(f"At most {KEYS_MOST} names.")
        for key in keys:
            if len(key) > KEY_LENGTH:
                raise ValidationError(f"A name has at most {KEY_LENGTH} characters.")
            printable(key)
        return keys

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class SettingsForm(OrganizationForm):
    """All settings of an organization; `initial` is what they are."""

    pending_most = forms.IntegerField(
        label="Requests that may wait, for one grant",
        min_value=1,
        max_value=100,
        help_text="What is asked beyond that is denied until some are decided.",
    )
    mails_most = forms.IntegerField(
        label="Mails to one person in ten minutes",
        min_value=1,
        max_value=100,
        help_text="Further requests are gathered in one mail.",
    )
    publishers_decide = forms.BooleanField(
        label="Who published a rule may decide its requests",
        required=False,
        help_text="Off: whoever published the version that asks has no word.",
    )
    api_decisions = forms.BooleanField(
        label="API tokens may decide requests",
        required=False,
        help_text="Tokens with the scope approvals:decide, minted after a fresh"
        " sign-in. Never critical requests, never those of one’s own grants.",
    )
    redacted_keys = KeysField(
        label="Arguments whose values no mail shows",
        required=False,
        help_text="One name a line, beside those that are hidden everywhere, such as"
        " password.",
    )

    def __init__(self, organization: Organization, data: Any = None) -> None:
        initial = {name: getattr(organization, name) for name in GENERAL + APPROVALS}
        super().__init__(data, initial=initial)

    @property
    def general(self) -> list[forms.BoundField]:
        return [self[name] for name in GENERAL]

    @property
    def approvals(self) -> list[forms.BoundField]:
        return [self[name] for name in APPROVALS]
