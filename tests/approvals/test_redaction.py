"""What a mail shows of a call's arguments, as a table."""

from __future__ import annotations

import json
import secrets
import signal
import time
from http import HTTPStatus

import pytest
from django.conf import global_settings
from hypothesis import given
from hypothesis import strategies as st

from accounts.secret_looks import looks_secret
from accounts.secret_names import joined, secret_name
from approvals.redaction import MOST_ROWS, Redacted, redact
from tests.cases import cases

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"


def shown(redacted: Redacted) -> dict[str, str]:
    return {row.path: row.shown or row.note for row in redacted.rows}


def one(arguments: object, schema: object = None, keys: tuple[str, ...] = ()) -> str:
    (row,) = redact(arguments, schema, keys).rows
    return row.shown or row.note


@cases(
    "name",
    [
        *("password", "Password", "userPassword", "USER_PASSWORD", "user-password"),
        *("new password", "passwd", "pwd", "passphrase", "token", "accessToken"),
        *("accesstoken", "refresh_tokens", "secret", "clientSecret", "key", "apiKey"),
        *("api-key", "APIKey", "apikey", "X-Api-Key", "authorization", "Authorization"),
        *("cookie", "Set-Cookie", "ssn", "card", "cardNumber", "cardnumber", "iban"),
        *("cvc", "pin", "otp2", "ｐａｓｓｗｏｒｄ", "pass\u200bword", "credentials"),
        *("privateKey", "sessionId", "passwort"),
    ],
)
def test_a_name_tells_a_secret(name: str) -> None:
    assert one({name: "hunter2"}) == "hidden (its name): a text"


@cases(
    "name",
    [
        *("amount", "currency", "monkey", "keyboard", "author", "pinned", "discard"),
        *("cardinal", "passenger", "hockey", "title", "", "ß", "id", "opinion"),
    ],
)
def test_other_names_do_not(name: str) -> None:
    assert one({name: "hunter2"}) == '"hunter2"'
    assert not secret_name(name)


def test_what_is_below_a_secret_name_is_hidden_as_a_whole() -> None:
    redacted = redact({"card": {"holder": "A", "expires": 1}, "keys": ["a"]}, None)
    assert shown(redacted) == {
        "card": "hidden (its name): an object of 2 values",
        "keys": "hidden (its name): a list of 1 value",
    }
    assert redacted.hidden == 2


@cases(
    ("value", "kind"),
    [(1234, "a number"), (True, "true or false"), (None, "null"), ([], "a list of 0")],
)
def test_a_hidden_value_is_told_by_kind_only(value: object, kind: str) -> None:
    """A digest or a length would help who guesses."""
    assert one({"pin": value}).startswith(f"hidden (its name): {kind}")


@cases("own", ["customer_email", "customerEmail", "Customer-Email"])
def test_an_organization_names_its_own(own: str) -> None:
    hidden = "hidden (your organization's rule): a text"
    assert one({"customerEmail": "a@example.com"}, None, (own,)) == hidden
    nested = {"list": [{"customer_email": "a@example.com"}]}
    assert one(nested, None, (own,)) == hidden
    assert one({"email": "a@example.com"}, None, (own,)) == '"a@example.com"'


def test_an_empty_name_of_an_organization_hides_nothing() -> None:
    assert one({"-": 1}, None, ("", "_")) == "1"


MARKED = "hidden (the tool's schema marks it): a text"
REFERS = {
    "properties": {"a": {"$ref": "#/$defs/x"}},
    "$defs": {"x": {"allOf": [{"$ref": "#/$defs/y~1z"}]}, "y/z": {"writeOnly": True}},
}


@cases(
    "schema",
    [
        {"properties": {"a": {"format": "password"}}},
        {"properties": {"a": {"writeOnly": True}}},
        {"properties": {"a": {"contentEncoding": "base64"}}},
        {"properties": {"a": {"anyOf": [{"type": "null"}, {"format": "password"}]}}},
        {"allOf": [{"properties": {"a": {"writeOnly": True}}}]},
        {"if": {}, "then": {"properties": {"a": {"writeOnly": True}}}},
        {"additionalProperties": {"format": "password"}},
        {"patternProperties": {"(a+)+$": {"format": "password"}}},
        {"dependentSchemas": {"a": {"properties": {"a": {"writeOnly": True}}}}},
        REFERS,
    ],
)
def test_the_schema_tells_a_secret(schema: object) -> None:
    assert one({"a": "plain"}, schema) == MARKED


@cases(
    "schema",
    [
        *(None, True, [], "x", 1, {}),
        {"properties": {"a": {"format": "email"}}},
        {"properties": {"a": {"writeOnly": False}}},
        {"properties": {"b": {"writeOnly": True}}},
        {"properties": {"a": {"$ref": "#/$defs/none"}}},
        {"properties": {"a": {"$ref": "https://example.com/schema"}}},
        {"properties": {"a": {"$ref": "#"}}},
        {"properties": [], "allOf": {}, "patternProperties": 1, "$ref": 5},
    ],
)
def test_any_other_schema_hides_nothing(schema: object) -> None:
    assert one({"a": "plain"}, schema) == '"plain"'


def test_schemas_of_lists() -> None:
    secret = {"writeOnly": True}
    schema = {
        "properties": {"a": {"items": secret}, "b": {"prefixItems": [{}, secret]}}
    }
    assert shown(redact({"a": ["x"], "b": ["x", "y"]}, schema)) == {
        "a[0]": MARKED,
        "b[0]": '"x"',
        "b[1]": MARKED,
    }


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"properties": {"below": {"$ref": "#"}, "word": {"writeOnly": True}}}
    assert one({"below": {"below": {"word": "x"}}}, tree) == MARKED


def test_a_schema_too_large_to_follow_hides() -> None:
    many = {"anyOf": [{"title": str(n)} for n in range(200)]}
    assert one({"a": "x"}, {"properties": {"a": many}}) == MARKED


@cases(
    "text",
    [
        JWT,
        PEM,
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "github_pat_11ABCDEFG0abcdefgh",
        "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe",
        "glpat-abcdefghij1234567890",
        "npm_abcdefghijklmnopqrstuvwxyz0123456789",
        "curl -H 'Authorization: Bearer abcdefgh12345'",
        "postgresql://user:hunter2@db.example.com/x",
        "export API_KEY=abc",
        '{"password": "hunter2"}',
        "4242 4242 4242 4242",
        "4242424242424242",
        "paid with 5555-5555-5555-4444 today",
        "DE89 3704 0044 0532 0130 00",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "d41d8cd98f00b204e9800998ecf8427e",
        "see d41d8cd98f00b204e9800998ecf8427e.",
        "kvq3x7tz2m5p9w4bj6ndy8",
    ],
)
def test_a_value_looks_like_a_secret(text: str) -> None:
    assert one({"note": text}) == "hidden (it looks like a secret): a text"


def test_card_numbers_that_are_numbers() -> None:
    assert one({"n": 4242424242424242}).startswith("hidden (it looks like a secret)")


@cases(
    "text",
    [
        *("eur", "", "ch_1", "Refund for order 10042", "2026-11-21T14:32:00Z"),
        "https://example.com/orders/10042?page=2",
        "invoice-2026-000123-eu-west",
        "createCustomerSubscriptionInvoice",
        "internationalization_and_localization",
        "PROJECT_SETTINGS_DEFAULT_VALUE",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "00000000000000000000000000000000",
        "1795253886246367472000",
        "/var/lib/postgresql/data/base/16384",
        "4242424242424241",
        "Straße 12, 80331 München",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_plain_values_are_shown(text: str) -> None:
    assert one({"note": text}) == json.dumps(text, ensure_ascii=False)


def test_an_id_may_look_random() -> None:
    charge = "ch_3MmlLrLkdIwHu7ix0snN0B15"
    assert one({"charge_id": charge}) == f'"{charge}"'
    assert one({"id": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}).startswith("hidden")
    assert one({"note": charge}).startswith("hidden")


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex])
def test_random_tokens_are_found(make) -> None:
    """Of 500 tokens of 32 bytes each, all but a few by the laws of chance."""
    found = sum(looks_secret(make(32)) for _ in range(500))
    assert found >= 495


def test_names_of_programs_are_not_random() -> None:
    names = [*dir(pytest), *dir(global_settings), *dir(HTTPStatus), *dir(signal)]
    assert len(names) > 400
    assert [name for name in names if looks_secret(name)] == []


def test_a_long_value_is_told_by_length_and_digest() -> None:
    text = "word " * 100
    told = "long: 500 characters, SHA-256 c9ed2be5c8d1e0c3…"
    assert one({"body": text}).startswith("long: 500 characters, SHA-256 ")
    assert len(one({"body": text})) == len(told)
    assert one({"body": text}) != one({"body": text + "."})
    assert one({"body": "word " * 39}).startswith('"word')


def test_what_does_not_fit_is_counted() -> None:
    redacted = redact({"list": list(range(1000))}, None)
    assert (len(redacted.rows), redacted.left_out) == (MOST_ROWS, 1000 - MOST_ROWS)


def test_paths_say_where() -> None:
    nested = {"a": {"b c": [1, {"d.e": []}]}, "x\ny": {}, "\u202e": 1}
    assert shown(redact(nested, None)) == {
        'a["b c"][0]': "1",
        'a["b c"][1]["d.e"]': "[]",
        '["x\\ny"]': "{}",
        '["\u202e"]': "1",
    }


def test_a_name_can_be_the_secret() -> None:
    rows = redact({"map": {JWT: 1, "k" * 61: 2}}, None).rows
    assert [row.path for row in rows][0] == "map[‹a name that looks like a secret›]"
    assert rows[1].path.startswith("map[‹61 characters, SHA-256 ")
    assert JWT not in str(rows)
    assert "kkk" not in str(rows)


def test_a_deep_path_says_that_it_is_cut() -> None:
    value: object = 1
    for n in range(60):
        value = {f"level_{n}": value}
    (row,) = redact(value, None).rows
    assert "left out›" in row.path
    assert len(row.path) < 240


def test_a_short_plain_list_is_one_row() -> None:
    assert shown(redact({"a": [1, "b", None], "c": ["d", JWT]}, None)) == {
        "a": '[1, "b", null]',
        "c[0]": '"d"',
        "c[1]": "hidden (it looks like a secret): a text",
    }


KEYS = st.sampled_from(["amount", "a.b", "", "\u202e", "list", "x" * 80]) | st.text()
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    LEAVES, lambda below: st.lists(below) | st.dictionaries(KEYS, below)
)
CANARY = "canary of 1 value"
HIDING = [
    lambda below: ({"password": below}, None),
    lambda below: ({"Customer-Name": below}, None),
    lambda below: ({"s": below}, {"properties": {"s": {"writeOnly": True}}}),
    lambda below: ([below], {"items": {"contentEncoding": "base64"}}),
]


@given(VALUES, st.sampled_from(HIDING), st.lists(KEYS | st.none(), max_size=5))
def test_nothing_below_what_hides_is_ever_shown(value, hide, way) -> None:
    hidden, schema = hide([value, CANARY, {"x": CANARY}])
    for step in way:
        hidden = [hidden] if step is None else {step: hidden, f"{step}2": 1}
        schema = {"items": schema, "additionalProperties": schema} if schema else None
    redacted = redact(hidden, schema, ["customerName"])
    assert CANARY not in str(redacted)
    assert redacted.hidden


@given(VALUES, VALUES, st.lists(KEYS))
def test_any_arguments_and_any_schema_are_read(value, schema, keys) -> None:
    redacted = redact(value, schema, keys)
    assert len(redacted.rows) <= MOST_ROWS
    assert all(bool(row.shown) != bool(row.note) for row in redacted.rows)
    longest = max(len(row.shown) + len(row.path) for row in redacted.rows)
    assert longest < 600


def test_no_arguments() -> None:
    assert redact({}, None).rows == (("arguments", "{}", ""),)


@cases(
    "text",
    [
        "eyJ" * 300_000,
        "a" * 1_000_000,
        "a." * 500_000,
        "token " * 100_000,
        "://:" * 9**5,
    ],
)
def test_a_mebibyte_is_read_in_a_moment(text: str) -> None:
    began = time.monotonic()
    redact({"a": text, "b": [text[:5000]] * 200}, None)
    assert time.monotonic() - began < 2


def test_joined() -> None:
    assert joined("APIKeyID_2") == "apikeyid2"
