"""What else ends when a server is deleted, in every app that hangs on it."""

from __future__ import annotations

from typing import cast

from django.db.models import Model

from accounts.tenancy import TenantQuerySet
from servers.models import Server


def what_ends(server: Server) -> list[tuple[str, int]]:
    """For example ("grants", 3), without those of which there are none."""
    found = []
    for relation in Server._meta.related_objects:
        rows = cast(
            TenantQuerySet[Model], relation.related_model._default_manager.all()
        )
        scoped = rows.for_organization(server.organization_id)
        count = scoped.filter(**{relation.field.name: server}).count()
        meta = relation.related_model._meta
        name = meta.verbose_name if count == 1 else meta.verbose_name_plural
        if count:
            found.append((str(name), count))
    return found
