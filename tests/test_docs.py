"""What people must know stands in the docs: each setting, error and policy key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETTING = re.compile(
    r"""(?:env_(?:str|bool|int|secret|list)\(\s*|environ(?:\.get\(|\[)\s*)"([A-Z_]+)\""""
)
# Django's own pointer to its settings: not ours to explain.
NOT_OURS = {"DJANGO_SETTINGS_MODULE"}


def sources() -> Iterator[Path]:
    for folder in ("accounts", "servers", "policies", "gateway", "audit", "config"):
        yield from (ROOT / folder).rglob("*.py")


def settings() -> list[str]:
    found = {name for path in sources() for name in SETTING.findall(path.read_text())}
    return sorted(found - NOT_OURS)


def test_settings_are_found() -> None:
    assert {"DATABASE_URL", "RECORDS_BOUND", "BASE_URL"} <= set(settings())


@pytest.mark.parametrize("name", settings())
def test_each_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/operating.md").read_text()


def test_each_documented_setting_exists() -> None:
    page = (ROOT / "docs/operating.md").read_text()
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))
    read = "".join(path.read_text() for path in sources())
    assert {name for name in documented if name not in read} == set()


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target
