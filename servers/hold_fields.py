"""How long calls to a server wait for an approval: its fields in the edit form."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms import printable

# The gateway holds no call longer.
LONGEST = 240
CLIENTS_MOST = 20
CLIENT_LENGTH = 100
BLANK_ROWS = 2

Row = tuple[str, str]


def seconds_field() -> forms.IntegerField:
    return forms.IntegerField(
        label="Hold calls that wait for approval",
        min_value=0,
        max_value=LONGEST,
        help_text=f"Seconds, 0 to {LONGEST}. Where a client cannot be told to wait, its"
        " call stays open so long, in case somebody decides. 0 answers at once.",
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )


class RowsInput(forms.Widget):
    """Any number of rows of two inputs, `<name>` and `<name>_seconds`; the template
    draws them."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        names, seconds = data.getlist(name), data.getlist(f"{name}_seconds")
        return [(a.strip(), b.strip()) for a, b in zip(names, seconds, strict=False)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data


class ByClientField(forms.Field):
    """Rows of a client's name and its seconds; cleaned, `{name: seconds}`."""

    widget = RowsInput

    def __init__(self) -> None:
        super().__init__(label="By client", required=False)

    def prepare_value(self, value: Any) -> list[Row]:
        """What is shown: the rows there are, and some that are blank."""
        if isinstance(value, dict):
            value = [(name, str(seconds)) for name, seconds in sorted(value.items())]
        rows = [row for row in value or () if any(row)]
        return rows + [("", "")] * min(BLANK_ROWS, CLIENTS_MOST - len(rows))

    def clean(self, value: Any) -> dict[str, int]:
        rows = [row for row in value or () if any(row)]
        if len(rows) > CLIENTS_MOST:
            raise ValidationError(f"At most {CLIENTS_MOST} clients.")
        names = [name for name, _ in rows]
        if doubled := [name for name in names if names.count(name) > 1]:
            raise ValidationError(f"“{doubled[0]}” is there twice.")
        return {_client(name): _seconds(name, seconds) for name, seconds in rows}


def _client(name: str) -> str:
    if not name:
        raise ValidationError("Seconds without a client: give its name.")
    if len(name) > CLIENT_LENGTH:
        raise ValidationError(f"A name has at most {CLIENT_LENGTH} characters.")
    printable(name)
    return name


def _seconds(name: str, seconds: str) -> int:
    if re.fullmatch("[0-9]{1,3}", seconds) and int(seconds) <= LONGEST:
        return int(seconds)
    raise ValidationError(f"“{name}”: seconds from 0 to {LONGEST}.")
