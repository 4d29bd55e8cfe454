"""Why a word was not taken."""

from __future__ import annotations


class Refused(Exception):
    """`code` is one of not_approver, own, publisher, fresh, decided, expired, api; of
    a time-limited approval critical, quorum, arguments. `text` is for the person."""

    def __init__(self, code: str, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(text)
