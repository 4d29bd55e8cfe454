"""Does a name say that its value is a secret? Pure.

Names are compared as words: camelCase, snake_case, kebab-case and full-width letters
are the same.
"""

from __future__ import annotations

import re
import unicodedata

SECRET_WORDS = {
    *("auth", "authorization", "authorisation", "bearer", "card", "cookie", "cvc"),
    *("credential", "cvv", "iban", "jwt", "key", "otp", "pass", "passcode", "pin"),
    *("pwd", "secret", "session", "signature", "ssn", "token"),
}
# Also where the words are not told apart, as in `accesstoken`; long enough to be in no
# other word.
SECRET_PARTS = (
    *("apikey", "authorization", "cardnumber", "cookie", "credential", "creditcard"),
    *("passcode", "passphrase", "passw", "privatekey", "secret", "token"),
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")


def words(name: str) -> list[str]:
    """`clientSecret`, `CLIENT_SECRET` and `client-secret` are `client`, `secret`."""
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf")
    plain = unicodedata.normalize("NFKC", seen)
    return [word.casefold() for word in WORD.findall(plain)]


def joined(name: str) -> str:
    return "".join(words(name))


def secret_name(name: str) -> bool:
    said = words(name)
    if any(word in SECRET_WORDS or word[:-1] in SECRET_WORDS for word in said):
        return True
    whole = "".join(said)
    return any(part in whole for part in SECRET_PARTS)
