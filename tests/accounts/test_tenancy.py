"""No query without a tenant, and no row that points into another tenant."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Count, ForeignKey, Value
from django.db.models.functions import Concat

from accounts.models import Membership, Organization, Role
from accounts.tenancy import TenantMissing, TenantModel, TenantQuerySet
from policies.models import Policy, PolicyVersion
from servers.models import ToolDefinition
from tests.cases import cases
from tests.conftest import member
from tests.world import (
    make_asked,
    make_grants,
    make_server,
    make_tools,
    make_world,
)

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
SCOPED = [
    model
    for model in apps.get_models()
    if isinstance(model._default_manager.all(), TenantQuerySet)
]
LINKS = [
    (model, field)
    for model in TENANT_MODELS
    for field in model._meta.concrete_fields
    if isinstance(field, ForeignKey) and issubclass(field.related_model, TenantModel)
]
ASKS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "bool": bool,
    "len": len,
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "first": lambda rows: rows.order_by("pk").first(),
    "get": lambda rows: rows.get(pk=uuid.uuid4()),
    "in_bulk": lambda rows: rows.filter(pk=uuid.uuid4()).in_bulk(),
    "values": lambda rows: list(rows.values("pk")),
    "iterator": lambda rows: list(rows.iterator()),
    "aiterator": lambda rows: rows.aiterator(),
    "aggregate": lambda rows: rows.aggregate(Count("organization_id")),
    "update": lambda rows: rows.update(organization_id=uuid.uuid4()),
    "delete": lambda rows: rows.delete(),
    "filtered": lambda rows: list(rows.filter(organization_id=uuid.uuid4())),
    "slice": lambda rows: rows[0],
    "union": lambda rows: list(rows.union(rows)),
    "contains": lambda rows: rows.contains(rows.model()),
}


def test_all_tables_of_tenants_are_scoped():
    """A model with an organization and a plain manager would answer everybody."""
    named = {
        model
        for model in apps.get_models()
        if any(field.attname == "organization_id" for field in model._meta.fields)
    }
    # The outbox is written and read by generation.py for all organizations.
    outbox = {apps.get_model("accounts", "GenerationChange")}
    assert named - outbox == set(SCOPED)
    assert set(TENANT_MODELS) <= set(SCOPED)


BY_KEY = {"in_bulk", "contains", "get"}
CASES = [
    pytest.param(model, ask, id=f"{model.__name__}-{ask}")
    for model in SCOPED
    for ask in ASKS
    if ask not in BY_KEY or isinstance(model._meta.pk, models.UUIDField)
]


@pytest.mark.django_db
@cases(("model", "ask"), CASES)
def test_a_query_without_a_tenant_raises(model, ask):
    with pytest.raises(TenantMissing):
        ASKS[ask](model._default_manager.all())


@pytest.mark.django_db
def test_no_organization_is_not_all_organizations():
    with pytest.raises(TenantMissing):
        Membership.objects.for_organization(Organization(id=None))
    with pytest.raises(TenantMissing):
        Membership.objects.for_organization(None)  # type: ignore[arg-type]


def test_scope_survives_what_is_built_on_it(alice, charlie):
    mine = Membership.objects.for_organization(alice.organization)
    assert list(mine.order_by("pk").exclude(role=Role.VIEWER)) == [alice]
    assert mine.filter(pk=charlie.pk).count() == 0
    assert Membership.objects.across_organizations().count() == 2


@cases(("model", "field"), LINKS, ids=str)
def test_a_row_cannot_point_into_another_organization(two_worlds, model, field):
    """The database refuses it, whatever the code above believes."""
    acme, other = two_worlds
    mine = model._default_manager.for_organization(acme).exclude(**{field.name: None})
    theirs = field.related_model._default_manager.for_organization(other)
    row, target = mine.first(), theirs.first()
    assert row is not None and target is not None, "teach tests/world.py to make one"
    table, column = model._meta.db_table, field.column
    with (
        pytest.raises(IntegrityError, match=f"{table}_{column}_same_tenant"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # Triggers of a table may refuse the change already; here they are to be off.
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE id = %s", [target.pk, row.pk]
        )


@pytest.fixture
def two_worlds(db: None) -> tuple[Organization, Organization]:
    make_world()
    other = Organization.objects.get(slug="other")
    server = make_server(other)
    make_tools(server)
    # Names of their own: unique ones are looked at before the tenant is.
    tools = ToolDefinition.objects.for_organization(other)
    tools.update(name=Concat(Value("other_"), "name"))
    policy = Policy.objects.create(organization=other, server=server, name="Bare")
    # Not number 1, which Acme's have: the number is unique in its policy.
    PolicyVersion.objects.create(
        organization=other, policy=policy, number=2, text="", digest="0" * 64
    )
    make_asked(make_grants(member(other, "eve", Role.ADMIN), policy))
    return Organization.objects.get(slug="acme"), other
