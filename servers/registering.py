"""Adding and changing servers: one transaction each, and never any network in it.

Pages and configuration as code both come through here, after `discovery.discover`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import generation
from accounts.models import Organization
from servers import credentials, drift_notices, pinning
from servers.diagnosis import Failed
from servers.discovery import Discovery
from servers.locking import locked
from servers.models import Era, Health, Server

MAX_NAME = 100
DECIDING = ("era", "revision", "capabilities")
SAID = (
    *DECIDING, "identity", "instructions", "problems", "health", "error", "checked_at"
)  # fmt: skip


class NameTaken(Exception):
    """Another server of the organization has this name."""


class Stale(Exception):
    """The server's URL or credentials changed while it was being asked."""


def register(
    organization: Organization,
    name: str,
    url: str,
    headers: Mapping[str, str],
    discovery: Discovery,
) -> Server:
    """Raises `NameTaken`; `credentials.BadHeader`."""
    credentials.check_headers(headers)
    server = Server(organization=organization, name=name, url=url)
    with transaction.atomic():
        _save_named(server)
        credentials.replace(server, headers)
        server.save(update_fields=["credential_id"])
        store(server, discovery)
    return server


def update_server(
    server: Server,
    *,
    name: str | None = None,
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    hold_changes: bool | None = None,
    hold_raised: bool | None = None,
    hold_seconds: int | None = None,
    hold_by_client: Mapping[str, int] | None = None,
    discovery: Discovery | None = None,
) -> Server:
    """What is None stays; `headers` replaces all credentials.

    Without `discovery` a changed URL makes the era unknown until the next refresh.
    A URL that leads to another host, port or scheme leaves the stored credentials
    behind: whoever edits a server must not be able to have them sent elsewhere.
    Raises `NameTaken`; `credentials.BadHeader`.
    """
    with transaction.atomic():
        server = locked(server)
        server.name = server.name if name is None else name
        if url is not None and url != server.url:
            if headers is None and moves(server, url):
                headers = {}
            server.url, server.era, server.revision = url, Era.UNKNOWN, ""
            server.health = Health.UNKNOWN
        if hold_changes is not None:
            server.hold_changes = hold_changes
        if hold_raised is not None:
            server.hold_raised = hold_raised
        if hold_seconds is not None:
            server.hold_seconds = hold_seconds
        if hold_by_client is not None:
            server.hold_by_client = dict(hold_by_client)
        if headers is not None:
            credentials.check_headers(headers)
            credentials.replace(server, headers)
        _save_named(server)
        if discovery is not None:
            store(server, discovery)
        generation.changed(server.organization)
    return server


def moves(server: Server, url: str) -> bool:
    """Whether this URL leads to another host, port or scheme than the server's."""
    one, other = urlsplit(server.url), urlsplit(url)
    return (one.scheme, one.netloc.lower()) != (other.scheme, other.netloc.lower())


def store(server: Server, discovery: Discovery) -> None:
    """What a server said of itself, tools included. Raises `Stale`."""
    now = timezone.now()
    with transaction.atomic():
        current = locked(server)
        if _asked(current) != _asked(server):
            raise Stale(server.name)
        found = pinning.pin(current, discovery.tools, now)
        drift_notices.keep(current, found.raised, now)
        before = [getattr(current, name) for name in DECIDING]
        server.era, server.revision = discovery.era, discovery.revision
        server.identity = discovery.identity
        server.capabilities = discovery.capabilities
        server.instructions = discovery.instructions
        server.problems = list(discovery.problems)
        server.health, server.error, server.checked_at = Health.OK, "", now
        server.save(update_fields=SAID)
        if found.changed or before != [getattr(server, name) for name in DECIDING]:
            generation.changed(current.organization)


def note_failure(server: Server, failed: Failed) -> None:
    """Health only: decisions go on with what is pinned."""
    Server.objects.for_organization(server.organization_id).filter(
        pk=server.pk, url=server.url, credential_id=server.credential_id
    ).update(health=Health.FAILING, error=str(failed), checked_at=timezone.now())


def remove(server: Server) -> None:
    """With its tools and credentials, and all that other apps hang on it."""
    with transaction.atomic():
        locked(server)
        generation.changed(server.organization)
        server.delete()


def _asked(server: Server) -> tuple[object, ...]:
    return server.url, server.credential_id


def _save_named(server: Server) -> None:
    try:
        with transaction.atomic():
            server.save()
    except IntegrityError as error:
        if "servers_server_name" in str(error):
            raise NameTaken(server.name) from None
        raise
