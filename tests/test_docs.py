"""What people must know stands in the docs: each setting, error and policy key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from audit.models import Outcome
from gateway import errors
from policies.conditions import OPERATORS
from servers import failures
from tests.cases import cases

ROOT = Path(__file__).resolve().parent.parent
SETTING = re.compile(
    r"""(?:env_(?:str|bool|int|secret|list)\(\s*|environ(?:\.get\(|\[)\s*)"([A-Z_]+)\""""
)
# Django's own pointer to its settings: not ours to explain.
NOT_OURS = {"DJANGO_SETTINGS_MODULE"}


def sources() -> Iterator[Path]:
    for folder in (
        *("accounts", "servers", "policies", "approvals", "gateway", "audit"),
        *("catalog", "config"),
    ):
        yield from (ROOT / folder).rglob("*.py")


def settings() -> list[str]:
    found = {name for path in sources() for name in SETTING.findall(path.read_text())}
    return sorted(found - NOT_OURS)


def test_settings_are_found() -> None:
    assert {"DATABASE_URL", "RECORDS_BOUND", "BASE_URL"} <= set(settings())


@cases("name", settings())
def test_each_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/operating.md").read_text()


def test_each_documented_setting_exists() -> None:
    page = (ROOT / "docs/operating.md").read_text()
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))
    read = "".join(path.read_text() for path in sources())
    assert {name for name in documented if name not in read} == set()


def every(kind: type[Exception]) -> Iterator[type[Exception]]:
    for below in kind.__subclasses__():
        yield below
        yield from every(below)


def error_kinds() -> list[str]:
    """Those that are told apart; what others derive from is no kind of its own."""
    kinds = [*every(errors.Refusal), *every(failures.WireError)]
    return sorted(kind.__name__ for kind in kinds if kind not in GROUPS)


GROUPS = {failures.NotSent, failures.Lost}
SPECIAL = re.compile(r"""["']\(([a-zA-Z -]+)\)["']|_named\("\w+", "([a-zA-Z ]+)"\)""")


def special_rules() -> list[str]:
    """Names such as `(hidden)`, wherever the deciding code writes one."""
    found: set[str] = set()
    for folder in ("policies", "approvals", "gateway", "audit", "catalog"):
        for path in (ROOT / folder).glob("*.py"):
            found |= {a or b for a, b in SPECIAL.findall(path.read_text())}
    return sorted(found - {"changing"})  # of the log: it decides nothing


def errors_page() -> str:
    return (ROOT / "docs/errors.md").read_text()


@cases("name", error_kinds())
def test_each_kind_of_error_is_documented(name: str) -> None:
    assert f"| `{name}` |" in errors_page()


def test_special_rules_are_found() -> None:
    assert {"hidden", "unknown tool", "too large", "revoked"} <= set(special_rules())


@cases("name", special_rules())
def test_each_special_rule_is_documented(name: str) -> None:
    assert f"| `({name})` |" in errors_page()


@cases("outcome", Outcome.values)
def test_each_outcome_is_documented(outcome: str) -> None:
    assert f"| `{outcome}` |" in errors_page()


def test_codes_of_refusals_are_those_documented() -> None:
    for kind in every(errors.Refusal):
        row = re.search(rf"^\| `{kind.__name__}` \|.*$", errors_page(), re.MULTILINE)
        assert row and f"| {getattr(kind, 'code')} |" in row[0], kind  # noqa: B009


KEY = re.compile(r'^ +"([a-z_]+)": ', re.MULTILINE)


def policy_words() -> list[str]:
    """Every key that a check of the document names, and every operator."""
    checks = [*(ROOT / "policies").glob("*_checks.py"), ROOT / "policies/document.py"]
    keys = {key for path in checks for key in KEY.findall(path.read_text())}
    return sorted(keys | set(OPERATORS))


def test_policy_words_are_found() -> None:
    known = {"default", "approve_if", "escalate_to", "over", "if_absent", "len_gt"}
    assert known <= set(policy_words())


@cases("word", policy_words())
def test_each_policy_key_and_operator_is_documented(word: str) -> None:
    assert re.search(rf"[`\"]{word}[`\"]", (ROOT / "docs/policies.md").read_text())


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target
