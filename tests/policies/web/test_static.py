"""The editor's weight: lazy, on its own page only, within its budget."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "config" / "static"


def compressed(name: str) -> int:
    return len(gzip.compress((STATIC / name).read_bytes()))


def test_the_editor_keeps_its_budget():
    assert compressed("vendor/codemirror.js") <= 150 * 1024
    assert compressed("policy-editor.js") <= 8 * 1024
    assert compressed("policies.css") + compressed("app.css") <= 20 * 1024


def test_its_licence_stands_beside_it():
    assert "MIT" in (STATIC / "vendor" / "codemirror.LICENSE.txt").read_text()
    first = (STATIC / "vendor" / "codemirror.js").read_text()[:400].splitlines()[0]
    assert "codemirror.LICENSE.txt" in first


@pytest.mark.parametrize("page", ["/policies/", "/policies/new/", "/grants/"])
def test_no_other_page_loads_it(page, sign_in, bob, support):
    assert b"editor.js" not in sign_in(bob).get(page).content
    editor = sign_in(bob).get(f"/policies/{support.pk}/").content
    assert b"policy-editor.js" in editor
