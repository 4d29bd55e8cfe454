from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Membership, Organization
from accounts.templatetags.ui import visible
from policies import granting, publishing
from policies.drafting import Start
from policies.models import Grant, Policy
from servers.models import Server

EXPIRY = "%Y-%m-%dT%H:%M"


class VisibleChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Names in an option cannot be isolated: what is invisible in them is shown."""

    def label_from_instance(self, obj: Any) -> str:
        return visible(str(obj))


class NewPolicyForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=publishing.NAME_LENGTH,
        validators=[publishing.check_name],
        help_text="What it is for, such as “support agents”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    server = VisibleChoice(
        label="Server",
        queryset=Server.objects.none(),
        to_field_name="public_id",
        empty_label="Choose",
    )
    start = forms.ChoiceField(
        label="Begin with",
        choices=Start.choices,
        initial=Start.RECOMMENDED,
        widget=forms.RadioSelect,
        help_text="A draft: nothing is in force until you publish it.",
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        servers = Server.objects.for_organization(organization)
        choice: Any = self.fields["server"]
        choice.queryset = servers.select_related("organization").order_by("name")
        if len(only := list(choice.queryset[:2])) == 1:
            choice.empty_label, choice.initial = None, only[0].public_id


class CommentForm(forms.Form):
    comment = forms.CharField(
        label="Comment",
        required=False,
        max_length=publishing.COMMENT_LENGTH,
        help_text="Why, for those who read the versions later.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class TagsField(forms.CharField):
    """Words apart by commas, as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = (word.strip() for word in str(value or "").split(","))
        return [word for word in words if word]


class MomentField(forms.DateTimeField):
    """A moment in the organization's zone, as the browser's own picker writes it."""

    def __init__(self, zone: ZoneInfo, **more: Any) -> None:
        self.zone = zone
        picker = forms.DateTimeInput({"type": "datetime-local"}, format=EXPIRY)
        super().__init__(input_formats=[EXPIRY, f"{EXPIRY}:%S"], widget=picker, **more)

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(self.zone) if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(self.zone):
            return super().to_python(value)


class GrantFields(forms.Form):
    """Label, tags and expiry; `refuse` shows what granting says beside its field."""

    label = forms.CharField(
        label="Label",
        max_length=granting.LABEL_LENGTH,
        help_text="Which client this is, such as “support-bot”. Shown on every record.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    tags = TagsField(
        label="Tags",
        required=False,
        help_text="Words apart by commas. Rules can read them as grant.tags.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = ZoneInfo(organization.zone)
        self.fields["expires_at"] = MomentField(
            zone,
            label="Expires",
            required=False,
            help_text=f"In {organization.zone}. Empty: when it is revoked.",
        )
        self.order_fields(self.field_order)

    def refuse(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)


class MintForm(GrantFields):
    policy = forms.ChoiceField(label="Server and policy")
    member = VisibleChoice(
        label="Member",
        queryset=Membership.objects.none(),
        help_text="Whose calls these are: the requester in rules and approvals.",
    )
    field_order = ("label", "policy", "member", "tags", "expires_at")

    def __init__(self, by: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(by.organization, *args, **kwargs)
        self.targets = _targets(by.organization)
        field: Any = self.fields["policy"]
        field.choices = _grouped(self.targets)
        policies = [value for value, target in self.targets.items() if target[1]]
        if len(policies) == 1:
            field.initial = policies[0]
        holder: Any = self.fields["member"]
        holder.queryset = holders(by)
        holder.initial = by.pk

    def target(self) -> tuple[Server, Policy | None]:
        server, policy, _ = self.targets[self.cleaned_data["policy"]]
        return server, policy


class EditGrantForm(GrantFields):
    policy = VisibleChoice(
        label="Policy",
        queryset=Policy.objects.none(),
        required=False,
        empty_label="No policy: every call is denied",
    )
    helper_tool = forms.BooleanField(
        label="Offer policylayer_check_approval",
        required=False,
        help_text="One tool more in the client’s list, by which an agent can ask what"
        " became of a request for approval.",
    )
    field_order = ("label", "policy", "tags", "expires_at", "helper_tool")

    def __init__(self, grant: Grant, *args: Any, **kwargs: Any) -> None:
        super().__init__(grant.organization, *args, **kwargs)
        policies = Policy.objects.for_organization(grant.organization)
        choice: Any = self.fields["policy"]
        choice.queryset = policies.filter(server=grant.server).order_by("name")


def holders(by: Membership) -> Any:
    """Those whose grants `by` may mint."""
    members = Membership.objects.for_organization(by.organization)
    members = members.select_related("user", "organization").order_by("user__email")
    if granting.may_handle_all(by):
        return members
    return members.filter(pk=by.pk)


Target = tuple[Server, Policy | None, str]


def _targets(organization: Organization) -> dict[str, Target]:
    """Every policy, and every server without one, by the value of its option."""
    found: dict[str, Target] = {}
    servers = Server.objects.for_organization(organization).order_by("name")
    policies = Policy.objects.for_organization(organization).order_by("name")
    of_server: dict[object, list[Policy]] = {}
    for policy in policies.select_related("current"):
        of_server.setdefault(policy.server_id, []).append(policy)
    for server in servers:
        for policy in of_server.get(server.pk, ()):
            found[str(policy.pk)] = (server, policy, _offered(policy))
        label = "No policy: every call is denied"
        found[f"server-{server.public_id}"] = (server, None, label)
    return found


def _offered(policy: Policy) -> str:
    name = visible(policy.name)
    return name if policy.current else f"{name} (never published)"


def _grouped(targets: dict[str, Target]) -> Iterable[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for value, (server, _, label) in targets.items():
        groups.setdefault(visible(server.name), []).append((value, label))
    return [("", "Choose"), *groups.items()]
