"""What the gateway says when it does not relay. Pure.

    Refusal                 an answer with an HTTP status; the JSON-RPC error has a code
    |-- ParseError          400, -32700: the body is no strict JSON
    |-- InvalidRequest      400, -32600: no single JSON-RPC message, or it is too large
    |-- InvalidParams       -32602: parameters that the method does not have
    |-- NotRelayed          -32601: a method or feature that is not passed on
    |-- HeaderMismatch      400, -32020: a header says something else than the body
    |-- Unsupported         400, -32022: a protocol revision that is not served
    |-- Door                the request itself: Host, Origin, path, verb, media type
    |-- Unauthorized        401: no token, or one that is not in force here
    |-- Throttled           429: too many unknown tokens at once
    |-- NoSession           404: a session that is not, or no longer, ours
    `-- Unavailable         -32603: Valkey or Postgres down, rules changing, log full
    UpstreamFault           the server's answer cannot be relayed; becomes -32603
    `-- Lost                sent, and no answer came

Two texts: `text` goes to the client, `log` stays here.
"""

from __future__ import annotations

from typing import Any

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR = -32602, -32603
DENIED, RESOURCE_NOT_FOUND = -32000, -32002
HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION = -32020, -32021, -32022


class Refusal(Exception):
    """`legacy_status` differs where the handshake era answers errors with 200."""

    status = 200
    code = INTERNAL_ERROR
    legacy_status: int | None = None

    def __init__(
        self,
        text: str,
        *,
        data: Any = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        log: str = "",
    ) -> None:
        super().__init__(text)
        self.text, self.data, self.headers, self.log = text, data, headers, log


class ParseError(Refusal):
    status, code = 400, PARSE_ERROR


class InvalidRequest(Refusal):
    status, code = 400, INVALID_REQUEST


class TooLong(InvalidRequest):
    status = 413


class InvalidParams(Refusal):
    status, code, legacy_status = 400, INVALID_PARAMS, 200


class NotRelayed(Refusal):
    status, code, legacy_status = 404, METHOD_NOT_FOUND, 200


class HeaderMismatch(Refusal):
    status, code = 400, HEADER_MISMATCH


class Unsupported(Refusal):
    status, code = 400, UNSUPPORTED_VERSION


class Door(Refusal):
    """Answered before any JSON is read; `status` is given."""

    code = INVALID_REQUEST

    def __init__(
        self, status: int, text: str, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(text, headers=headers)
        self.status = status


class Unauthorized(Refusal):
    """One text for every reason: it must not tell which tokens exist."""

    status, code = 401, DENIED
    TEXT = (
        "Not authorized: send the token of a grant for this endpoint as"
        " 'Authorization: Bearer <token>'. A person can mint one on the Grants page."
    )

    def __init__(self, log: str = "") -> None:
        challenge = ((b"www-authenticate", b'Bearer realm="PolicyLayer"'),)
        super().__init__(self.TEXT, headers=challenge, log=log)


class Throttled(Refusal):
    status, code = 429, DENIED

    def __init__(self) -> None:
        super().__init__(
            "Too many requests with unknown tokens; try again in a second",
            headers=((b"retry-after", b"1"),),
        )


class NoSession(Refusal):
    status, code = 404, INVALID_REQUEST

    def __init__(self, log: str = "") -> None:
        super().__init__("Session not found: initialize again", log=log)


class Unavailable(Refusal):
    code = INTERNAL_ERROR


class UpstreamFault(Exception):
    """`sent` is False only where nothing of the request left the gateway."""

    def __init__(self, text: str, *, sent: bool = True, log: str = "") -> None:
        super().__init__(text)
        # Whoever tells it goes on in sentences of their own.
        self.text, self.sent, self.log = text.rstrip("."), sent, log


class Lost(UpstreamFault):
    pass
