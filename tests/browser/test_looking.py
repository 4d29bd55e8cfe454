"""What finds faults in pages finds these, however much it has looked at before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import looking
from tests.browser.conftest import Opener
from tests.browser.looking import broken, prepare, seen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]
TEXT = "Some words to read"
PALE = "color: #bbb; background: #fff"


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SEEN", set())
    monkeypatch.setattr(looking, "PASSED", set())


def shows(page: Page, body: str) -> None:
    """A page of ours, as its scripts and styles may be."""
    prepare(page)
    page.evaluate(
        "(body) => { document.documentElement.lang = 'en';"
        " document.title = 'T'; document.body.innerHTML = `<main>${body}</main>`; }",
        f"<h1>Title</h1>{body}",
    )


def styled(page: Page, wanted: str) -> None:
    """As a page with its strict policy may: not by an attribute."""
    page.evaluate("(css) => { document.querySelector('p').style = css }", wanted)


@pytest.fixture
def page(open_page: Opener) -> Page:
    page = open_page()
    page.goto("/account/login/")
    return page


def faults(page: Page) -> str:
    return " ".join(broken(page))


def test_a_pale_text_is_found_after_a_good_one(page: Page) -> None:
    shows(page, f"<p>{TEXT}</p>")
    assert faults(page) == ""
    assert looking.PASSED
    for pale in ("color: #bbb", "background: #444", "font-size: 13px; color: #888"):
        styled(page, pale)
        assert "color-contrast" in faults(page), pale


def test_what_axe_did_not_judge_is_not_taken_for_judged(page: Page) -> None:
    """Of one letter it says nothing, nor of what is disabled."""
    shows(page, "<p>I</p>")
    styled(page, PALE)
    assert faults(page) == ""
    page.evaluate(f"document.querySelector('p').textContent = '{TEXT}'")
    assert "color-contrast" in faults(page)


def test_what_lies_under_a_text_without_being_around_it(page: Page) -> None:
    body = f"<div></div><p>{TEXT}</p>"
    shows(page, body)
    styled(page, "position: absolute; top: 300px; left: 300px; color: #000")
    assert faults(page) == ""
    page.evaluate(
        "document.querySelector('main div').style = 'position: absolute; top: 280px;"
        " left: 280px; width: 400px; height: 100px; background: #222'"
    )
    assert "color-contrast" in faults(page)


def test_what_no_colour_decides_is_found_in_a_page_of_known_texts(page: Page) -> None:
    shows(page, f"<p>{TEXT}</p>")
    assert faults(page) == ""
    shows(page, f"<p>{TEXT}</p><img src='data:,'>")
    assert "image-alt" in faults(page)


def test_what_is_wider_than_the_screen_is_found(page: Page) -> None:
    shows(page, f"<p>{TEXT}</p>")
    styled(page, "width: 800px")
    found = seen(page, "wide")
    assert found == [f"{theme}, 390: wider than the screen" for theme in looking.THEMES]
