"""Does a text look like a secret? By known shapes, and by looking random. Pure.

It errs towards yes: what is hidden is shown nowhere, or on the request's page alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection
from itertools import pairwise

# Beginnings by which the issuers themselves let their tokens be found.
PREFIXES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|rk|pk)_(?:live|test)_|sk-|gh[oprsu]_|github_pat_|glpat-|gl[a-z]{2,5}-|"
    r"xox[abeoprs]-|xapp-|A(?:KIA|SIA|GPA|IDA|ROA)[A-Z0-9]{8}|AIza|ya29\.|npm_|pypi-|"
    r"SG\.|hf_|dop_v1_|shp(?:at|ca|pa|ss)_|whsec_|pl_|plm_|dckr_pat_|sq0[a-z]{3}-|"
    r"AGE-SECRET-KEY-|PMAK-|lin_api_|vault:v|hv[sbr]\.|s\.[A-Za-z0-9]{20}"
    r")[A-Za-z0-9_\-.=+/]{8,}"
)
SHAPES = (
    re.compile(r"-----BEGIN [A-Z0-9 ]+-----"),
    re.compile(
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    ),
    re.compile(r"(?i)\b(?:bearer|basic|digest|negotiate)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@"),
    re.compile(
        r"(?i)(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|authorization)"
        r"[\"']?\s*[:=]\s*\S"
    ),
    PREFIXES,
)
IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
CARD = re.compile(r"(?<!\d)[3-6](?:[ -]?\d){14,15}(?!\d)")
UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
HEX, DIGIT = re.compile(r"(?i)[0-9a-f]+"), re.compile(r"\d")
WORD = re.compile(r"[A-Za-z0-9+/_=-]{16,}")
SEPARATORS = re.compile(r"[-_=+/]")
SHORTEST, LONG_HEX = 16, 32
# Names are made of pieces like these, random text is not, unless it has one case only;
# then its letters and digits alternate, as those of names do not.
PIECE = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}|\d{4,}")
NAMED, ALTERNATING, BITS = 0.75, 0.28, 3.0
# Names of what identifies and is no secret, though it may look random.
IDENTIFIES = {
    *("checksum", "commit", "digest", "etag", "guid", "hash", "id", "ids", "ref"),
    *("revision", "sha", "ulid", "uuid"),
}
LONGEST_ID = 64
# Enough to tell by: what is longer is shown in no mail anyway.
LOOKED_AT = 10_000


def looks_secret(text: str, name: Collection[str] = ()) -> bool:
    """`name`: the words of the argument's name, as far as they say what it is."""
    text = text[:LOOKED_AT]
    if any(shape.search(text) for shape in SHAPES):
        return True
    if _has_card(text) or _is_iban(text):
        return True
    if IDENTIFIES.intersection(name) and len(text) <= LONGEST_ID:
        return False
    return any(looks_random(word) for word in WORD.findall(UUID.sub(" ", text)))


def looks_random(word: str) -> bool:
    plain = SEPARATORS.sub("", word)
    if len(plain) < SHORTEST or plain.isdigit():
        return False
    counts = Counter(plain)
    bits = -sum(n / len(plain) * math.log2(n / len(plain)) for n in counts.values())
    if bits < BITS:
        return False
    if len(plain) >= LONG_HEX and HEX.fullmatch(plain) and DIGIT.search(plain):
        return True
    named = sum(len(piece) for piece in PIECE.findall(plain)) / len(plain)
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(plain))
    return named < NAMED or changes / (len(plain) - 1) >= ALTERNATING


def _has_card(text: str) -> bool:
    return any(_luhn(re.sub(r"\D", "", found)) for found in CARD.findall(text))


def _luhn(digits: str) -> bool:
    doubled = (int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = re.sub(r"[ -]", "", text).upper()
    if not IBAN.fullmatch(plain):
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1
