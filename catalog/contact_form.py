"""The contact form, and what keeps spam out of it without a third party.

A field that people do not see must stay empty; the page must have been open for some
seconds, which a signed time in the form tells; a message holds few links. Whoever is
refused is told why: nothing is dropped in silence.
"""

from __future__ import annotations

import re
import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.urls import Resolver404, resolve

from accounts.forms import printable

LEAST_SECONDS, MOST_SECONDS = 3, 24 * 3600
MOST_LINKS, LONGEST = 2, 5_000
LINK = re.compile(r"(?i)\b(?:https?|ftp)\s*:|\bwww\.|\[url|<a\s")
# Pages whose address is secret, or tells what somebody looked for.
UNNAMED = {"catalog:kept"}
OPENED = "opened"


def opened() -> str:
    """Goes into the form: the time at which it was drawn, signed."""
    return TimestampSigner(salt="catalog.contact").sign(OPENED)


def text_only(text: str) -> None:
    """Refuses control characters other than line ends and tabs."""
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in "\r\n\t":
            raise ValidationError("Remove the control characters.")


class ContactForm(forms.Form):
    name = forms.CharField(
        max_length=200,
        required=False,
        validators=[printable],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="Where the answer goes; it is used for nothing else.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    message = forms.CharField(
        max_length=LONGEST,
        validators=[text_only],
        widget=forms.Textarea(attrs={"rows": 8, "maxlength": LONGEST}),
    )
    page = forms.CharField(max_length=500, required=False, widget=forms.HiddenInput)
    opened = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)
    website = forms.CharField(
        max_length=200,
        required=False,
        label="Leave this empty",
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def clean_message(self) -> str:
        message: str = self.cleaned_data["message"]
        if len(LINK.findall(message)) > MOST_LINKS:
            raise ValidationError(f"At most {MOST_LINKS} links: leave the others out.")
        return message

    def clean_page(self) -> str:
        return named_page(self.cleaned_data["page"])

    def clean(self) -> None:
        """Told above the form: nobody sees the field. The time counts once all else is
        right, so that nobody waits twice."""
        if self.cleaned_data.get("website"):
            raise ValidationError("A program filled in this form. Send it again.")
        if not self.errors:
            check_time(self.cleaned_data["opened"])


def check_time(signed: str) -> None:
    signer = TimestampSigner(salt="catalog.contact")
    try:
        signer.unsign(signed, max_age=MOST_SECONDS)
        early = _within(signer, signed, LEAST_SECONDS)
    except SignatureExpired:
        raise ValidationError("This page was open for a day. Send it again.") from None
    except BadSignature:
        raise ValidationError("Something was missing. Send it again.") from None
    if early:
        raise ValidationError("That was quick. Wait a moment, then send it again.")


def _within(signer: TimestampSigner, signed: str, seconds: int) -> bool:
    try:
        signer.unsign(signed, max_age=seconds)
    except SignatureExpired:
        return False
    return True


def named_page(path: str) -> str:
    """A page of ours as a path without query, or nothing."""
    path = path.partition("?")[0].partition("#")[0]
    try:
        found = resolve(path)
    except Resolver404:
        return ""
    of_the_catalogue = found.namespace == "catalog" or path == "/"
    return path if of_the_catalogue and found.view_name not in UNNAMED else ""
