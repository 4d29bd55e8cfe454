"""Tags of the components that do more than draw a template."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from django.utils.safestring import mark_safe

from accounts.templatetags import ui


def test_what_is_safe_in_one_place_is_not_for_equal_text_in_another():
    assert "<b>x</b>" in ui.alone("badge", word=mark_safe("<b>x</b>"))
    assert "<b>x</b>" not in ui.alone("badge", word="<b>x</b>")


def test_what_is_invisible_is_shown_wherever_it_stands():
    assert ui.visible("a\u202eb\u200fc\u202e\n\t\x00") == (
        "a‹U+202E›b‹U+200F›c‹U+202E›\n\t‹U+0000›"
    )
    assert ui.visible("a\xa0b\u2014") == "a\xa0b\u2014"


def test_times_are_told_in_utc():
    moment = datetime(2026, 3, 1, 1, 2, 3, 4, timezone(timedelta(hours=2)))
    assert ui.exact(moment) == "2026-02-28T23:02:03.000004+00:00"
    assert ui.exactly(moment) == "2026-02-28 23:02:03 UTC"
