from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms import printable
from servers.credentials import BadHeader, check_headers
from servers.diagnosis import Failed
from servers.failures import Refused
from servers.hold_fields import ByClientField, seconds_field
from servers.models import Category, Server, Severity
from servers.outbound import Door
from servers.registering import MAX_NAME

USUAL_SEVERITY = {
    Category.READ: Severity.LOW,
    Category.WRITE: Severity.MEDIUM,
    Category.EXECUTE: Severity.HIGH,
    Category.DESTRUCTIVE: Severity.CRITICAL,
    Category.FINANCIAL: Severity.CRITICAL,
    Category.OTHER: Severity.LOW,
}
# What the edit form shows and saves beside the credentials.
CHANGED = (
    *("url", "name", "hold_raised", "hold_changes", "hold_seconds", "hold_by_client"),
)
PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


def secret(label: str, help_text: str = "") -> forms.CharField:
    """Given back when the form has an error: nobody likes to paste it twice."""
    return forms.CharField(
        label=label,
        required=False,
        strip=True,
        help_text=help_text,
        widget=forms.PasswordInput(
            render_value=True, attrs={"autocomplete": "new-password"}
        ),
    )


class CredentialFields(forms.Form):
    token = secret("Bearer token", "Sent as “Authorization: Bearer …”.")
    header_name = forms.CharField(
        label="Header",
        required=False,
        help_text="Where the server wants a header of its own, such as X-Api-Key.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    header_value = secret("Value of the header")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name, value = cleaned.get("header_name", ""), cleaned.get("header_value", "")
        if bool(name) != bool(value):
            self.add_error(
                "header_name" if value else "header_value",
                "A header has a name and a value.",
            )
        try:
            check_headers(self.headers)
        except BadHeader as error:
            self.add_error("header_name" if name else "token", str(error))
        return cleaned

    @property
    def headers(self) -> dict[str, str]:
        given = self.cleaned_data
        headers = {}
        if token := given.get("token", ""):
            bare = token[7:].strip() if token[:7].lower() == "bearer " else token
            headers["Authorization"] = f"Bearer {bare}"
        if (name := given.get("header_name")) and given.get("header_value"):
            if name.lower() == "authorization" and headers:
                self.add_error("header_name", "The bearer token is this header.")
                return headers
            headers[name] = given["header_value"]
        return headers

    def refuse(self, failed: Failed) -> None:
        """Shows beside the right field why the server could not be asked."""
        name = "token" if failed.kind == "credentials" else "url"
        self.add_error(name, f"{failed.what} {failed.fix}")


def url_field() -> forms.CharField:
    return forms.CharField(
        label="URL",
        max_length=2000,
        help_text="The streamable HTTP address, for example https://example.com/mcp.",
        widget=forms.URLInput(attrs={**PLAIN, "placeholder": "https://"}),
    )


def check_url(url: str) -> str:
    try:
        Door.from_settings().check_url(url)
    except Refused as error:
        raise ValidationError(error.reason) from None
    return url


class AddServerForm(CredentialFields):
    url = url_field()
    name = forms.CharField(
        max_length=MAX_NAME,
        required=False,
        validators=[printable],
        help_text="Left empty, the server's own name.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    field_order = ["url", "name"]

    def clean_url(self) -> str:
        return check_url(self.cleaned_data["url"])


class EditServerForm(CredentialFields):
    KEEP, REPLACE, REMOVE = "keep", "replace", "remove"

    url = url_field()
    name = forms.CharField(
        max_length=MAX_NAME,
        validators=[printable],
        widget=forms.TextInput(attrs=PLAIN),
    )
    hold_changes = forms.BooleanField(
        label="Hold changed tools",
        required=False,
        help_text="A tool whose definition changes is denied until a policy manager"
        " accepts the change. Otherwise the new definition counts at once.",
    )
    hold_raised = forms.BooleanField(
        label="Hold tools that become more severe",
        required=False,
        help_text="A tool whose changed definition lets it do more than before, such as"
        " delete, is denied until a policy manager accepts it. Policy managers are"
        " mailed either way.",
    )
    hold_seconds = seconds_field()
    hold_by_client = ByClientField()
    credentials = forms.ChoiceField(
        choices=[
            (KEEP, "Keep as they are"),
            (REPLACE, "Replace by what is given below"),
            (REMOVE, "Remove"),
        ],
        initial=KEEP,
        widget=forms.RadioSelect,
    )
    field_order = [
        *("url", "name", "hold_raised", "hold_changes", "hold_seconds", "credentials")
    ]

    def __init__(self, server: Server, data: Any = None) -> None:
        self.server = server
        initial = {name: getattr(server, name) for name in CHANGED}
        super().__init__(data, initial=initial)

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        return url if url == self.server.url else check_url(url)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        chosen, given = cleaned.get("credentials"), bool(self.headers)
        if chosen == self.REPLACE and not given:
            self.add_error("token", "Give a token or a header.")
        elif given and chosen != self.REPLACE:
            self.add_error(
                "credentials", "To use what is given below, choose “Replace”."
            )
        return cleaned

    @property
    def new_headers(self) -> dict[str, str] | None:
        """None where the stored ones stay."""
        if self.cleaned_data["credentials"] == self.KEEP:
            return None
        return self.headers if self.cleaned_data["credentials"] == self.REPLACE else {}


class DeleteServerForm(forms.Form):
    name = forms.CharField(
        label="To delete it, type its name",
        strip=False,
        widget=forms.TextInput(attrs=PLAIN),
    )

    def __init__(self, server: Server, data: Any = None) -> None:
        self.server = server
        super().__init__(data)

    def clean_name(self) -> str:
        if self.cleaned_data["name"] != self.server.name:
            raise ValidationError(f"This is not its name, “{self.server.name}”.")
        return self.server.name


class VerdictForm(forms.Form):
    category = forms.ChoiceField(choices=Category.choices)
    severity = forms.ChoiceField(
        choices=[("", "Usual for the category"), *Severity.choices],
        required=False,
    )

    def clean_severity(self) -> str:
        chosen: str = self.cleaned_data["severity"]
        category = self.cleaned_data.get("category")
        return chosen or USUAL_SEVERITY.get(Category(category or "Other"), "low")


class ToolFilter(forms.Form):
    """Filters by URL; a value that is none is no filter."""

    STATES = (
        ("", "Any state"),
        ("held", "Held"),
        ("changed", "Changed"),
        ("unset", "Verdict not set"),
        ("new", "New verdict"),
        ("doubtful", "Doubtful"),
        ("gone", "No longer listed"),
    )
    q = forms.CharField(required=False, max_length=200)
    category = forms.ChoiceField(
        choices=[("", "Any category"), *Category.choices],
        required=False,
        widget=forms.Select(attrs={"aria-label": "Category"}),
    )
    state = forms.ChoiceField(
        choices=STATES,
        required=False,
        widget=forms.Select(attrs={"aria-label": "State"}),
    )
    after = forms.CharField(required=False, max_length=1000, strip=False)


def host_of(url: str) -> str:
    return urlsplit(url).hostname or url
