"""How many files the process may have open: each connection is one."""

from __future__ import annotations

import logging
import resource

log = logging.getLogger(__name__)

# A call holds its client's connection and its server's.
MOST = 65_536


def allow_many() -> None:
    """Up to the hard limit. The soft one is 1,024 in most shells, for the sake of
    programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError) as error:  # macOS has a further limit of its own
        log.warning("no more than %d open files: %s", soft, error)
