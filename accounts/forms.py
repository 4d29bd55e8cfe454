from __future__ import annotations

import functools
import unicodedata
import zoneinfo
from typing import Any

from allauth.account import forms as allauth
from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

UTC = "Etc/UTC"


@functools.cache
def zones() -> tuple[str, ...]:
    """The places of the time zone database, UTC first."""
    names = sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )
    return (UTC, *names)


def printable(text: str) -> None:
    """Refuses control and formatting characters: they disguise a name."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
            raise ValidationError(
                f"Remove the invisible character U+{ord(character):04X}."
            )


class Labelled:
    """Labels stand above their fields: a placeholder would say the same again."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(Labelled, allauth.LoginForm):  # type: ignore[misc]
    pass


class SignupForm(Labelled, allauth.SignupForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(Labelled, allauth.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(Labelled, allauth.SetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordForm(Labelled, allauth.ResetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(Labelled, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(Labelled, allauth.ReauthenticateForm):  # type: ignore[misc]
    pass


SELECTED = mark_safe(" selected")


class LongSelect(forms.Select):
    """For hundreds of options without groups: none is a template of its own."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        chosen = self.format_value(value)
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                (each, SELECTED if str(each) in chosen else "", label)
                for each, label in self.choices
            ),
        )
        given = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<select{}>\n{}\n</select>", given, options)


class OrganizationForm(forms.Form):
    name = forms.CharField(
        label="Organization name",
        max_length=120,
        validators=[printable],
        help_text="Your company or team.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name.replace("_", " ")) for name in zones()],
        initial=UTC,
        widget=LongSelect,
        help_text="Rules on times of day and days of the week follow it.",
    )
