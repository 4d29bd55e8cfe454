from policies.spots import Spot, Spots
from tests.cases import cases

TEXT = """{
  "tools": {
    "a/b": {"require": [{"x": 1},
      {"y": 2}]},
    "ü": {"deny_if": [
      1
    ]}
  }
}"""


@cases(
    ("pointer", "spot"),
    [
        ("/tools", Spot(2, 3, 8)),
        ("/tools/a~1b", Spot(3, 5, 4)),
        ("/tools/a~1b/require/1", Spot(4, 7, 4)),
        ("/tools/a~1b/require/1/y", Spot(4, 8, 4)),
        ("/tools/ü/deny_if", Spot(5, 11, 7)),
        ("/tools/nope", None),
        ("/tools/a~1b/require/9", None),
        ("/tools/a~1b/require/x", None),
        ("(hidden)", None),
        ("", None),
    ],
)
def test_a_pointer_is_found(pointer, spot):
    assert Spots(TEXT).find(pointer) == spot


def test_a_text_that_is_no_json_has_lines_only():
    spots = Spots("{\n nope")
    assert spots.find("/tools") is None
    assert (spots.line(2), spots.line(9)) == ("nope", "")
