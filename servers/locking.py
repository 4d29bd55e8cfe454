"""The lock under which a server's tools and their verdicts are written."""

from __future__ import annotations

from servers.models import Server


def locked(server: Server) -> Server:
    """The row as it is now; the caller holds the transaction.

    Locked, because two refreshes at once would both insert a new tool, and one that
    has read the tools would write over what a person says of them meanwhile. Not for
    rows that merely refer to it: a grant that is minted holds its policy already, for
    which whoever publishes waits with the server locked.
    """
    rows = Server.objects.for_organization(server.organization_id)
    return (
        rows.select_related("organization")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=server.pk)
    )
