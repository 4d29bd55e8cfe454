"""Phrases that say something of a tool, wherever they stand in its description. Pure.

One line per case; all are read by RE2, whose time is linear in the text. Not every one
has a rule: facts keep them, so that later rules can judge what was scanned before.
"""

from __future__ import annotations

import re2

# What a phrase says: the pattern, over lower-case text in which "n't" reads " not".
PHRASES = (
    (
        "read_only_mode",
        r"\bread[- ]?only (?:mode )?(?:by default|\(default|is the default)"
        r"|\b(?:in|even in|when|if) read[- ]?only mode"
        r"|\bread[- ]?only mode (?:refuses|is|by)",
    ),
    ("read_only", r"\bread[- ]?only\b"),
    (
        "read_only",
        r"\bonly (?:read|select|reads|selects|supports select|allows select)\b",
    ),
    (
        "read_only",
        (
            r"\b(?:select|read|show|describe)(?:,? (?:and |or "
            r")?(?:show|describe|explain|with))*,? (?:queries|"
            r"statements|operations) (?:only|are (?:allowed|"
            r"supported|permitted))"
        ),
    ),
    (
        "read_only",
        (
            r"\b(?:does|do|will|can) ?not (?:modify|change|alter|"
            r"mutate|write|affect) (?:any|the|your|anything|data|"
            r"state|files?|resources?)\b"
        ),
    ),
    (
        "read_only",
        (
            r"\bwithout (?:modifying|changing|altering|making "
            r"(?:any )?changes|side effects)\b"
        ),
    ),
    (
        "read_only",
        r"\bno (?:changes (?:are|will be) made|side effects|modifications)\b",
    ),
    (
        "irreversible",
        (
            r"\b(?:can ?not|can not|not) be (?:undone|reversed|"
            r"recovered|restored|reverted)\b"
        ),
    ),
    (
        "irreversible",
        r"\b(?:irreversibl[ey]|unrecoverabl[ey]|irrevocabl[ey]|no undo)\b",
    ),
    (
        "irreversible",
        r"\bpermanent(?:ly)? (?:delet|remov|eras|destroy|drop|purg|wip|los)",
    ),
    (
        "loses_data",
        (
            r"\b(?:data|contents?|changes|messages|records|files) "
            r"(?:will|may|can|could) be (?:permanently )?(?:lost|"
            r"deleted|removed|erased|overwritten|destroyed)\b"
        ),
    ),
    ("loses_data", r"\bdata loss\b"),
    (
        "warns",
        (
            r"\b(?:destructive|dangerous|use with (?:extreme "
            r")?(?:care|caution)|warning: this|caution: this)\b"
        ),
    ),
    (
        "runs_anything",
        (
            r"\barbitrary (?:\w+ )?(?:code|command|commands|sql|"
            r"javascript|python|script|scripts|shell|query|queries|"
            r"requests?)\b"
        ),
    ),
    (
        "runs_anything",
        (
            r"\b(?:execut|run|evaluat)\w* (?:any |a |an |the |raw |"
            r"custom |given |provided |specified )*(?:shell|bash|"
            r"terminal|system|python|javascript|js|os|powershell|"
            r"console|cli|node)(?: \w+)? (?:command|commands|code|"
            r"script|scripts|function|functions|snippet|expression)\b"
        ),
    ),
    (
        "runs_anything",
        (
            r"\bany (?:aws |api |rest |cli |sql |graphql "
            r")+(?:command|operation|call|request|statement|query|"
            r"endpoint)s?\b"
        ),
    ),
    (
        "writes_sql",
        (
            r"\b(?:insert|update|delete|drop|alter|truncate)(?:,|/|"
            r" or| and|, or|, and) (?:insert|update|delete|drop|"
            r"alter|truncate|create)\b"
        ),
    ),
    (
        "needs_write_mode",
        (
            r"--allow-write|\ballow[-_]write\b|\bwrite (?:mode|"
            r"access) (?:must be|to be|is) (?:enabled|required|"
            r"allowed)\b|\bwith write access\b"
        ),
    ),
    (
        "saves_to_path",
        (
            r"\b(?:sav|writ|stor|download|export|dump|record)\w* "
            r"(?:\w+ ){0,6}(?:to|into|in|as|at) (?:\w+ "
            r"){0,3}(?:file|files|disk|folder|directory|path|"
            r"filesystem|workspace)\b"
        ),
    ),
    (
        "saves_to_path",
        (
            r"\bfile(?:name| name| path|path)? to save\b|\boutput "
            r"(?:file|directory|dir|folder|path)\b|\bpath to save\b"
        ),
    ),
    (
        "overwrites",
        (
            r"\b(?:overwrit|replac)\w* (?:the |an |any |its |if "
            r")*(?:existing|entire|whole|current|previous|all)\b"
        ),
    ),
    (
        "moves_money",
        (
            r"\b(?:real money|transfers? (?:money|funds)|mov(?:e|"
            r"es|ing) (?:money|funds)|charg(?:e|es|ing) (?:a |the "
            r")?(?:customer|card|credit card)|(?:buy|sell|market|"
            r"limit|stop) orders?)\b"
        ),
    ),
    (
        "in_bulk",
        (
            r"\b(?:in bulk|bulk|batch(?:es)?|multiple|all matching|"
            r"every) (?:\w+ )?(?:at once|in (?:a|one) (?:single "
            r")?(?:call|request|operation)|deletion|update|operation)\b"
        ),
    ),
    (
        "in_session",
        (
            r"\b(?:for|in|within|of) (?:this|the|the current|the "
            r"active|your) (?:current )?session\b|\bin[- ]memory\b"
        ),
    ),
    (
        "computes",
        (
            r"\b(?:does not (?:access|call|contact|connect to)|no "
            r"network|purely? (?:local|computational)|from the "
            r"(?:arguments|input) (?:alone|only))\b"
        ),
    ),
    (
        "confirms",
        (
            r"\b(?:ask|confirm) (?:with )?the user\b|\buser "
            r"confirmation\b|\brequires? (?:explicit )?confirmation\b"
        ),
    ),
)


def _compiled() -> re2.Set:
    """All patterns at once, so that a text is read once.

    A set has no slower way to fall back on when its memory is spent, so it gets plenty.
    """
    options = re2.Options()
    options.max_mem = 128 * 1024 * 1024
    patterns = re2.Set.SearchSet(options)
    for _, pattern in PHRASES:
        patterns.Add(pattern.encode())
    patterns.Compile()
    return patterns


_COMPILED = _compiled()


def said(text: str) -> list[str]:
    """Names of what a lower-case text says, sorted."""
    if not text:
        return []
    found = _COMPILED.Match(text.encode(errors="replace")) or ()
    return sorted({PHRASES[at][0] for at in found})
