from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms import printable
from approvals.models import Hook
from servers.failures import Refused
from servers.outbound import Door

PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
MAX_NAME, MAX_URL = 100, 2000


class HookForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=MAX_NAME,
        validators=[printable],
        help_text="What is told, such as “on-call channel”.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    url = forms.CharField(
        label="URL",
        max_length=MAX_URL,
        help_text="Messages are posted to it. It is stored encrypted.",
        widget=forms.URLInput(attrs={**PLAIN, "placeholder": "https://"}),
    )
    format = forms.ChoiceField(
        label="Format",
        choices=Hook.Format.choices,
        initial=Hook.Format.JSON,
        widget=forms.RadioSelect,
        help_text="A Slack-compatible message holds no values of arguments.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            Door.from_settings().check_url(url)
        except Refused as error:
            raise ValidationError(error.reason) from None
        return url
