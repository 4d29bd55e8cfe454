from __future__ import annotations

from typing import Any

from django import forms

from accounts.templatetags.ui import visible
from approvals import openings
from policies.models import Grant

MINUTES = (10, 30, openings.LONGEST_MINUTES)


class OpeningForm(forms.Form):
    """Break-glass for one grant: the tools are its server's."""

    tool = forms.ChoiceField(label="Tool")
    minutes = forms.TypedChoiceField(
        label="For how long",
        choices=[(minutes, f"{minutes} minutes") for minutes in MINUTES],
        coerce=int,
        initial=MINUTES[0],
    )
    reason = forms.CharField(
        label="Reason",
        max_length=openings.REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Every owner is mailed it, and it stays on record.",
    )

    def __init__(self, grant: Grant, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["tool"]
        choice.choices = [(name, visible(name)) for name in openings.tools(grant)]
