"""What can go wrong on the way to another host, and what is then certain.

    WireError                the reason, for people
    ├── NotSent              the request was certainly not handed to the transport
    │   ├── Refused          our own rules forbid this URL, port or address
    │   ├── Unresolved       the name has no address
    │   ├── Unreachable      no connection: refused, no route, timed out
    │   ├── Untrusted        TLS failed
    │   └── Busy             our own bound of connections is reached
    └── Lost                 handed over; no answer, or not all of it
        ├── TimedOut         a deadline passed
        ├── TooLarge         the answer is larger than the caller takes
        ├── Malformed        the answer is no HTTP/1.1 that we accept
        └── Redirected       the answer points elsewhere, where we do not go

After `NotSent` nothing happened upstream and the call may be given back. After
`Lost` the upstream may have done everything: it is never sent again, except where
the request has no effect.
"""

from __future__ import annotations


class WireError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(WireError):
    pass


class Refused(NotSent):
    pass


class Unresolved(NotSent):
    pass


class Unreachable(NotSent):
    pass


class Untrusted(NotSent):
    pass


class Busy(NotSent):
    pass


class Lost(WireError):
    pass


class TimedOut(Lost):
    pass


class TooLarge(Lost):
    pass


class Malformed(Lost):
    pass


class Redirected(Lost):
    def __init__(self, status: int, location: str) -> None:
        super().__init__(f"The server redirects ({status}) to {location or 'nowhere'}.")
        self.status, self.location = status, location
