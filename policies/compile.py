"""A document made ready to decide: nothing is parsed on a call."""

from __future__ import annotations

from dataclasses import dataclass

from policies.document import Document


@dataclass(frozen=True)
class CompiledPolicy:
    document: Document

    @property
    def digest(self) -> str:
        return self.document.digest

    def entry_digest(self, tool_name: str) -> str:
        """Hex SHA-256 of the entry that applies and `all_tools`."""
        raise NotImplementedError


def compile_document(document: Document) -> CompiledPolicy:
    raise NotImplementedError
