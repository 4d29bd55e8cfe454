"""The definition of the one tool that is the gateway's own. Pure."""

from __future__ import annotations

from typing import Any

NAME = "policylayer_check_approval"
# Seconds
LONGEST = 40
DEFINITION: dict[str, Any] = {
    "name": NAME,
    "title": "Check an approval",
    "description": (
        "Says whether a call that needs a person's approval has been decided, by the"
        " approval id that was given for it. Can wait for the decision. Approves"
        " nothing: once it is approved, make the call itself again with the same"
        " arguments."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The approval id"},
            "wait_s": {
                "type": "integer",
                "minimum": 0,
                "maximum": LONGEST,
                "description": "Seconds to wait for the decision",
            },
        },
        "required": ["id"],
        "additionalProperties": False,
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}
