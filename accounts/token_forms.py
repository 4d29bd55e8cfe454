from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts import api_tokens
from accounts.models import Membership

NEVER = "never"
LASTING = {
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "A year",
    NEVER: "Until it is revoked",
}


class MintTokenForm(forms.Form):
    label = forms.CharField(
        label="Label",
        max_length=api_tokens.LABEL_LENGTH,
        help_text="What uses it, such as “deploy-bot”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="It may", widget=forms.CheckboxSelectMultiple
    )
    lasts = forms.ChoiceField(label="Expires after", choices=LASTING, initial="90")

    def __init__(self, by: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["scopes"]
        may_decide = api_tokens.may_decide(by)
        choice.choices = [
            (scope, f"{said} ({scope})")
            for scope, said in api_tokens.SCOPES.items()
            if may_decide or scope != api_tokens.DECIDE
        ]
        if len(choice.choices) == 1:
            choice.initial = [api_tokens.READ]

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lasts"]
        return None if days == NEVER else timezone.now() + timedelta(days=int(days))
