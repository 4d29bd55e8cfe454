"""Tenant scoping that is loud: a query without a tenant raises.

Every row that belongs to an organization derives from `TenantModel`. Its
queryset answers only after `for_organization(organization)`; code that truly
serves all tenants (gateway, recorder, workers) says so with
`across_organizations()`. The database holds the same line with composite
foreign keys, added by `CompositeForeignKey` in the migrations: no row can point
at another organization's row.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.migrations.operations.special import RunSQL

if TYPE_CHECKING:
    from accounts.models import Organization

Row = TypeVar("Row", bound=models.Model)


class TenantMissing(RuntimeError):
    """A tenant's table was queried without saying whose rows are meant."""


class TenantQuerySet(models.QuerySet[Row]):
    """Raises `TenantMissing` wherever rows would be read or written unscoped."""

    _scoped = False

    def for_organization(self, organization: Organization | uuid.UUID) -> Self:
        key = getattr(organization, "pk", organization)
        if key is None:
            raise TenantMissing("for_organization() was given no organization")
        scoped = self.filter(organization_id=key)
        scoped._scoped = True
        return scoped

    def across_organizations(self) -> Self:
        scoped = self.all()
        scoped._scoped = True
        return scoped

    def _require_scope(self) -> None:
        if not self._scoped:
            raise TenantMissing(
                f"{self.model.__name__} was queried without a tenant: begin with"
                " for_organization(...) or across_organizations()"
            )

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._scoped = self._scoped
        return clone

    def _fetch_all(self) -> None:
        self._require_scope()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Row]:
        self._require_scope()
        return super().iterator(*args, **kwargs)

    def aiterator(self, *args: Any, **kwargs: Any) -> AsyncIterator[Row]:
        self._require_scope()
        return super().aiterator(*args, **kwargs)

    def count(self) -> int:
        self._require_scope()
        return super().count()

    def exists(self) -> bool:
        self._require_scope()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._require_scope()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._require_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._require_scope()
        return super().delete()


class TenantModel(models.Model):
    """A row of one organization, with a random id that tells nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.CASCADE)

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "id"], name="%(app_label)s_%(class)s_tenant"
            )
        ]


class CompositeForeignKey(RunSQL):
    """Migration step: (organization_id, column) refers to (organization_id, id)."""

    def __init__(self, table: str, column: str, target: str) -> None:
        self.table, self.column, self.target = table, column, target
        name = f"{table}_{column}_same_tenant"
        super().__init__(
            sql=(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY"
                f" (organization_id, {column}) REFERENCES {target}"
                " (organization_id, id) DEFERRABLE INITIALLY DEFERRED"
            ),
            reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.table, self.column, self.target], {}
