"""Whether a server's verdicts are kept as they are: its part of VERDICT_KEEPERS."""

from __future__ import annotations

from policies.models import Policy
from servers.models import Server


def keeps(server: Server) -> bool:
    """A published policy keeps the verdicts that it was published with."""
    rows = Policy.objects.for_organization(server.organization_id)
    return rows.filter(server=server, current__isnull=False).exists()
