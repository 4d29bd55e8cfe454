"""What verbs do: the words by which the classifier knows a category. Pure data.

One line per group. A name is read by these very words, a description by their stems.
`STRONG` verbs mean one thing, `FAIR` ones mostly, `WEAK` ones say little by themselves.
The rubric that people read is made from these tables.
"""

from __future__ import annotations

from typing import NamedTuple

from catalog.classifier.words import stem

READ, WRITE, EXECUTE = "Read", "Write", "Execute"
DESTRUCTIVE, FINANCIAL, OTHER = "Destructive", "Financial", "Other"
# The more harmful stands where two fit.
PRECEDENCE = (FINANCIAL, DESTRUCTIVE, EXECUTE, WRITE, READ, OTHER)

STRONG, FAIR, WEAK = 1.0, 0.75, 0.5

# Category, strength, words.
VERBS = (
    # What there is
    (
        READ,
        STRONG,
        "get list describe read fetch retrieve show view find search lookup",
    ),
    (READ, STRONG, "ls cat grep glob head peek whoami count exists inspect browse"),
    (READ, STRONG, "is has are can does which where what who"),
    (READ, STRONG, "hget hgetall mget lrange smembers zrange llen scard xread hkeys"),
    (READ, FAIR, "query select scan explore discover locate detect check verify look"),
    (READ, FAIR, "monitor watch tail poll audit review compare diff blame observe see"),
    (READ, FAIR, "analyze analyse examine assess diagnose troubleshoot investigate"),
    (READ, FAIR, "explain recommend suggest advise summarize summarise report predict"),
    (
        READ,
        FAIR,
        "resolve geocode identify determine lint debug profile tell ask answer",
    ),
    (READ, FAIR, "screenshot snapshot capture scrape extract crawl map research learn"),
    (
        READ,
        FAIR,
        "receive collect gather access provide return obtain pull open display",
    ),
    (
        READ,
        WEAK,
        "estimate forecast validate simulate preview filter sort rank measure",
    ),
    (READ, WEAK, "aggregate trace expand traverse download export test evaluate load"),
    # What is stored
    (WRITE, STRONG, "create add update put set insert append write save store upsert"),
    (
        WRITE,
        STRONG,
        "edit modify patch replace rename move copy upload change overwrite",
    ),
    (WRITE, STRONG, "assign unassign attach detach archive unarchive reopen tag label"),
    (
        WRITE,
        STRONG,
        "send publish post reply comment invite share subscribe unsubscribe",
    ),
    (WRITE, STRONG, "import ingest configure enable disable register associate grant"),
    (
        WRITE,
        STRONG,
        "disassociate link unlink follow unfollow pin unpin star unstar mkdir",
    ),
    (WRITE, STRONG, "hset mset sadd zadd lpush rpush hmset incr decr xadd setex"),
    (
        WRITE,
        STRONG,
        "increment decrement duplicate clone fork merge commit stage unstage",
    ),
    (WRITE, FAIR, "close complete approve reject submit mark mute unmute lock unlock"),
    (
        WRITE,
        FAIR,
        "push checkout init scaffold provision bootstrap backup restore rotate",
    ),
    (
        WRITE,
        FAIR,
        "allow block unblock ban unban authorize confirm acknowledge ack join",
    ),
    (
        WRITE,
        FAIR,
        "activate deactivate transition schedule unschedule book reserve remind",
    ),
    (
        WRITE,
        FAIR,
        "notify email message forward draft note remember memorize record log",
    ),
    (
        WRITE,
        FAIR,
        "index embed seed sync synchronize persist cache enqueue scale resize",
    ),
    (
        WRITE,
        FAIR,
        "promote demote escalate snooze react like upvote vote rate bookmark",
    ),
    (
        WRITE,
        FAIR,
        "define name title annotate document adjust alter amend revise correct",
    ),
    (
        WRITE,
        FAIR,
        "link track touch chmod chown mount unmount map bind unbind opt upgrade",
    ),
    (
        WRITE,
        WEAK,
        "make build manage handle toggle switch process prepare request claim",
    ),
    (WRITE, WEAK, "generate format transform migrate fix customize propose feedback"),
    # What runs
    (EXECUTE, STRONG, "run execute exec invoke trigger launch deploy redeploy restart"),
    (
        EXECUTE,
        STRONG,
        "reboot rerun retry replay rollback rollout start stop pause resume",
    ),
    (
        EXECUTE,
        STRONG,
        "suspend hibernate shutdown boot spawn failover relaunch rebuild",
    ),
    (EXECUTE, STRONG, "shell bash terminal powershell ssh kubectl eval sudo cli"),
    (
        EXECUTE,
        STRONG,
        "click press hover drag navigate scroll swipe tap type fill dblclick",
    ),
    (EXECUTE, FAIR, "apply install compile dispatch automate perform interact control"),
    (
        EXECUTE,
        FAIR,
        "emulate steer wake drive play record goto go reload refresh proxy",
    ),
    (EXECUTE, WEAK, "call do act use operate benchmark train"),
    # What is gone
    (DESTRUCTIVE, STRONG, "delete remove drop purge flush truncate destroy erase wipe"),
    (
        DESTRUCTIVE,
        STRONG,
        "revoke terminate kill cancel abort uninstall expire evict prune",
    ),
    (
        DESTRUCTIVE,
        STRONG,
        "rm rmdir del unset untag deregister unregister decommission",
    ),
    (
        DESTRUCTIVE,
        STRONG,
        "teardown deprovision flushall flushdb nuke obliterate undeploy",
    ),
    (
        DESTRUCTIVE,
        STRONG,
        "hdel lrem srem zrem xdel spop lpop rpop ltrim zpopmin zpopmax",
    ),
    (DESTRUCTIVE, STRONG, "pop purge trash shred scrub unpublish discard"),
    (
        DESTRUCTIVE,
        FAIR,
        "reset clear clean cleanup empty void invalidate kick forget trim",
    ),
    (DESTRUCTIVE, FAIR, "dequeue consume reject_all leave end undo squash rebase"),
    # What moves money
    (
        FINANCIAL,
        STRONG,
        "pay refund buy sell purchase withdraw deposit reimburse payout",
    ),
    (FINANCIAL, STRONG, "liquidate donate remit disburse"),
    (FINANCIAL, FAIR, "charge trade invoice bill stake unstake swap bid checkout"),
    # What keeps nothing
    (OTHER, STRONG, "echo ping convert calculate compute sum multiply divide subtract"),
    (OTHER, STRONG, "think sleep wait translate encode decode compress decompress"),
    (OTHER, FAIR, "connect disconnect login logout authenticate reauthenticate hello"),
    (OTHER, FAIR, "parse tokenize hash reverse round roll shuffle greet reason plan"),
    (OTHER, FAIR, "infer chat brainstorm reflect demonstrate randomize"),
)

# Words that name things as often as acts: what they say depends on where they stand.
NOUNS = frozenset(
    stem(word)
    for line in (
        "access alter archive audit backup batch bid bill block book bookmark branch",
        "build cache call cat change charge check checkout claim clone close collect",
        "comment commit complete control copy count cli document draft drop dispatch",
        "email end estimate export feedback filter fix follow forecast format",
        "fork grant hash head index input install invoice label like link list load",
        "lock log login look map mark match message monitor mount move name note open",
        "order pin plan play poll post preview process profile project promote proxy",
        "pull purchase push query queue rank rate react reason record refund register",
        "release reply report request research reserve reset resource restore return",
        "review roll rollback round run scale scan schedule screenshot search seed",
        "select set share shell show sleep snapshot sort stage star stake start stop",
        "sum swap switch tag tail terminal test think title touch trace track trade",
        "transform transition trash trigger type update upgrade upload use view void",
        "vote wait watch write trade deposit head map end record sync document model",
    )
    for word in line.split()
)

# Who does it, for what it does: `services-reader` reads.
AGENTS = {
    "analyzer": "analyze",
    "cleaner": "clean",
    "converter": "convert",
    "creator": "create",
    "deleter": "delete",
    "downloader": "download",
    "editor": "edit",
    "executor": "execute",
    "explorer": "explore",
    "extractor": "extract",
    "fetcher": "fetch",
    "finder": "find",
    "generator": "generate",
    "inspector": "inspect",
    "lister": "list",
    "loader": "load",
    "optimizer": "recommend",
    "reader": "read",
    "remover": "remove",
    "runner": "run",
    "scanner": "scan",
    "scraper": "scrape",
    "searcher": "search",
    "sender": "send",
    "thinking": "think",
    "updater": "update",
    "uploader": "upload",
    "validator": "validate",
    "viewer": "view",
    "writer": "write",
    "deletion": "delete",
    "removal": "remove",
    "creation": "create",
    "cancellation": "cancel",
    "termination": "terminate",
    "deployment": "deploy",
}

# Things that are only answered with, where a name has no verb: `git_status`.
ANSWERS = frozenset(
    stem(word)
    for line in (
        "status info information detail details history logs log stats statistics",
        "metrics metric summary overview docs documentation guidance guide help schema",
        "schemas context events version versions analytics rules practices insights",
        "usage pricing price prices cost costs report reports findings inventory",
        "recommendations reference readme topics config directions elevation distance",
        "weather forecast news quote quotes chart leaderboard trends profile tree",
        "screenshot snapshot messages requests response results templates examples",
        "budgets credits budget comparison performance coverage anomaly weather",
        "balance bars candles trades positions indices health diagnostics capabilities",
        "preferences instructions faq menu calendar timeline contributors activity",
        "explorer lens matrix definitions advice whois dns ip time date now env",
    )
    for word in line.split()
)

# Words of a name that say how much or for whom, never what.
MODIFIERS = frozenset(
    (
        "api",
        "mcp",
        "tool",
        "batch",
        "bulk",
        "multi",
        "mass",
        "async",
        "try",
        "safe",
        "do",
        "auto",
        "quick",
        "the",
        "my",
        "please",
        "force",
        "hard",
        "soft",
        "v",
    )
)


class Verb(NamedTuple):
    """`nounish` words may just as well name a thing."""

    word: str
    category: str
    strength: float
    nounish: bool


def verbs_by_word() -> dict[str, Verb]:
    """The first line that holds a word decides."""
    found: dict[str, Verb] = {}
    for category, strength, line in VERBS:
        for word in line.split():
            nounish = stem(word) in NOUNS
            found.setdefault(word, Verb(word, category, strength, nounish))
    for agent, word in AGENTS.items():
        if word in found:
            found.setdefault(agent, found[word]._replace(strength=FAIR, nounish=True))
    return found


def verbs_by_stem(verbs: dict[str, Verb]) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for word, verb in verbs.items():
        found.setdefault(stem(word), verb)
    return found
