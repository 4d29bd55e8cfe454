"""What verbs do: the words by which the classifier knows a category. Pure data.

One line per group. A name is read by these very words, a description by their stems.
`STRONG` verbs mean one thing, `FAIR` ones mostly, `WEAK` ones say little by themselves.
The rubric that people read is made from these tables.
"""

from __future__ import annotations

from typing import NamedTuple

from catalog.classifier.words import listed, stem, stemmed

READ, WRITE, EXECUTE = "Read", "Write", "Execute"
DESTRUCTIVE, FINANCIAL, OTHER = "Destructive", "Financial", "Other"
# The more harmful stands where two fit.
PRECEDENCE = (FINANCIAL, DESTRUCTIVE, EXECUTE, WRITE, READ, OTHER)

STRONG, FAIR, WEAK = 1.0, 0.75, 0.5

# Category, strength, words.
VERBS = (
    # What there is
    (READ, STRONG, "get list describe read fetch retrieve show view find search"),
    (READ, STRONG, "lookup ls cat grep glob head peek whoami count exists inspect"),
    (READ, STRONG, "browse is has are can does which where what who hget hgetall"),
    (READ, STRONG, "mget lrange smembers zrange llen scard xread hkeys hvals hlen"),
    (READ, STRONG, "hexists lindex zscore zrank xrange xlen sismember sinter sunion"),
    (READ, STRONG, "sdiff ttl dbsize getrange strlen geocode"),
    (READ, FAIR, "query select scan explore discover locate detect check verify look"),
    (READ, FAIR, "monitor watch tail poll audit review compare diff blame observe"),
    (READ, FAIR, "see ocr transcribe decrypt top analyze analyse examine assess"),
    (READ, FAIR, "diagnose troubleshoot investigate explain recommend suggest advise"),
    (READ, FAIR, "summarize summarise predict resolve identify determine lint debug"),
    (READ, FAIR, "profile tell ask answer screenshot snapshot capture scrape extract"),
    (READ, FAIR, "crawl map research learn receive collect gather access provide"),
    (READ, FAIR, "return obtain open display"),
    (READ, WEAK, "estimate forecast validate simulate preview filter sort rank"),
    (READ, WEAK, "measure aggregate trace expand traverse export test evaluate load"),
    (READ, WEAK, "download choose report optimize optimise inform demo"),
    (READ, FAIR, "triage paginate tabulate inventory ripgrep"),
    # What is stored
    (WRITE, STRONG, "create add update put set insert append write save store upsert"),
    (WRITE, STRONG, "edit modify patch replace rename move copy upload change"),
    (WRITE, STRONG, "overwrite assign unassign attach detach archive unarchive"),
    (WRITE, STRONG, "reopen tag label send publish post reply comment invite share"),
    (WRITE, STRONG, "subscribe unsubscribe import ingest configure enable disable"),
    (WRITE, STRONG, "register associate grant disassociate link unlink follow"),
    (WRITE, STRONG, "unfollow pin unpin star unstar mkdir hset mset sadd zadd lpush"),
    (WRITE, STRONG, "rpush hmset incr decr xadd setex cas prepend persist mkdirs"),
    (WRITE, STRONG, "clone draft increment decrement duplicate fork merge commit"),
    (WRITE, STRONG, "stage unstage"),
    (WRITE, FAIR, "close complete approve reject submit mark mute unmute lock unlock"),
    (WRITE, FAIR, "push checkout init scaffold provision bootstrap backup restore"),
    (WRITE, FAIR, "rotate allow block unblock ban unban authorize confirm"),
    (WRITE, FAIR, "acknowledge ack join activate deactivate transition schedule"),
    (WRITE, FAIR, "unschedule book reserve remind notify email message forward note"),
    (WRITE, FAIR, "remember memorize record log index embed seed sync synchronize"),
    (WRITE, FAIR, "cache enqueue scale resize demote escalate snooze react like"),
    (WRITE, FAIR, "upvote vote rate bookmark define name title annotate document"),
    (WRITE, FAIR, "adjust alter amend revise correct revert undo rebase squash"),
    (WRITE, FAIR, "cherry stash restack track touch chmod chown mount unmount bind"),
    (WRITE, FAIR, "unbind opt upgrade respond transfer dismiss silence unsilence"),
    (WRITE, FAIR, "flag unflag hide unhide accept decline deny postpone reschedule"),
    (WRITE, FAIR, "defer delay extend renew enroll unenroll onboard nominate"),
    (WRITE, FAIR, "delegate allocate reallocate route tweet retweet dm favorite"),
    (WRITE, FAIR, "unfavorite allowlist whitelist blacklist populate enrich protect"),
    (WRITE, FAIR, "encrypt expose redirect bump crop watermark reorder regroup split"),
    (WRITE, FAIR, "sign clock checkin quarantine isolate tune mutate setup customise"),
    (WRITE, FAIR, "personalize"),
    (
        WRITE,
        WEAK,
        "place pull request hold reclassify adopt work make manage",
    ),
    (WRITE, WEAK, "handle toggle switch process prepare claim format"),
    (WRITE, WEAK, "transform fix customize propose feedback"),
    (WRITE, FAIR, "release finalize xack"),
    (WRITE, FAIR, "materialize hydrate taint untaint highlight"),
    # What runs
    (EXECUTE, STRONG, "run execute exec invoke trigger launch deploy redeploy"),
    (EXECUTE, STRONG, "restart reboot rerun retry replay rollback rollout start stop"),
    (EXECUTE, STRONG, "pause resume suspend hibernate shutdown boot spawn failover"),
    (EXECUTE, STRONG, "relaunch rebuild shell bash powershell repl ssh eval sudo"),
    (EXECUTE, STRONG, "terminal click press hover drag navigate scroll swipe tap"),
    (EXECUTE, STRONG, "type fill dblclick"),
    (EXECUTE, FAIR, "apply install compile dispatch automate perform interact"),
    (EXECUTE, FAIR, "control skip seek rewind cordon uncordon drain reindex vacuum"),
    (EXECUTE, FAIR, "promote emulate steer wake drive play goto go"),
    (EXECUTE, FAIR, "reload refresh proxy"),
    (EXECUTE, FAIR, "begin cutover relay"),
    (
        EXECUTE,
        WEAK,
        "focus uncheck screencast call do act use operate benchmark train boost",
    ),
    (EXECUTE, WEAK, "stress"),
    (EXECUTE, FAIR, "migrate rebalance compact repair tunnel reshard repartition"),
    (EXECUTE, WEAK, "build turn dim speak say"),
    (EXECUTE, FAIR, "power"),
    # What is gone
    (DESTRUCTIVE, STRONG, "delete remove drop purge flush truncate destroy erase"),
    (DESTRUCTIVE, STRONG, "wipe revoke terminate kill cancel abort uninstall expire"),
    (DESTRUCTIVE, STRONG, "evict prune rm rmdir del unset untag deregister"),
    (DESTRUCTIVE, STRONG, "unregister decommission teardown deprovision flushall"),
    (DESTRUCTIVE, STRONG, "flushdb nuke obliterate undeploy hdel lrem srem zrem xdel"),
    (DESTRUCTIVE, STRONG, "spop lpop rpop ltrim zpopmin zpopmax recreate pop trash"),
    (DESTRUCTIVE, STRONG, "shred scrub unpublish discard reset"),
    (DESTRUCTIVE, FAIR, "clear clean cleanup empty void invalidate kick forget trim"),
    (DESTRUCTIVE, FAIR, "dequeue consume leave end"),
    # What moves money
    (FINANCIAL, STRONG, "pay refund buy sell purchase withdraw deposit reimburse"),
    (FINANCIAL, STRONG, "payout liquidate donate remit disburse"),
    (FINANCIAL, FAIR, "charge trade invoice bill stake unstake swap bid"),
    (FINANCIAL, WEAK, "exercise"),
    (FINANCIAL, FAIR, "tip invest settle redeem"),
    (FINANCIAL, WEAK, "order mint"),
    # What keeps nothing
    (OTHER, STRONG, "echo ping convert calculate sum multiply divide subtract think"),
    (OTHER, STRONG, "sleep wait translate encode decode compress decompress"),
    (OTHER, FAIR, "connect disconnect login logout authenticate reauthenticate hello"),
    (OTHER, FAIR, "generate parse tokenize hash reverse round roll shuffle greet"),
    (OTHER, FAIR, "reason plan infer chat brainstorm reflect demonstrate randomize"),
    (OTHER, FAIR, "quit"),
    (OTHER, FAIR, "render draw plot visualize visualise classify categorize rewrite"),
    (OTHER, FAIR, "paraphrase proofread containerize print transcode"),
    (OTHER, WEAK, "initialize compose construct compute package zip gzip unzip bundle"),
)

# Words that name things as often as acts: what they say depends on where they stand.
NOUNS = stemmed(
    "access alter archive audit backup bash batch bid bill block book bookmark"
    " branch build bundle cache call capture cat change charge check checkout"
    " claim cli clone close collect comment commit complete compute control copy"
    " count deposit dispatch document draft drop email end estimate exercise"
    " export feedback filter fix focus follow forecast fork format grant hash head"
    " hold index input install invoice label like link load lock log login look"
    " map message model monitor mount move name note open order package pin place"
    " plan play poll post powershell preview process profile project promote proxy"
    " pull purchase push query queue rank rate react reason record refund register"
    " release reply report request research reserve reset resource restore return"
    " review roll rollback round route run scale scan schedule screenshot search"
    " seed select set share shell show sleep snapshot sort split ssh stage stake"
    " star sum swap switch sync tag tail terminal test think title top touch trace"
    " track trade transform transition trash trigger type update upgrade upload"
    " use view void vote wait watch write"
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
ANSWERS = stemmed(
    "activity advice analytics anomaly balance bars budget budgets calendar candles"
    " capabilities chart comparison config context contributors cost costs coverage"
    " credits date definitions detail details diagnostics directions distance dns"
    " docs documentation elevation env events examples explorer faq findings"
    " forecast guidance guide health help history indices info information insights"
    " instructions inventory ip leaderboard lens log logs matrix menu messages"
    " metric metrics news now overview performance positions practices preferences"
    " price prices pricing profile quote quotes readme recommendations reference"
    " report reports requests response results rules schema schemas screenshot"
    " snapshot statistics stats status summary templates time timeline topics trades"
    " tree trends usage version versions weather whois"
)

# Those that are answered with whatever comes before them: `cache_stats`.
STATES = stemmed("details history info metrics stats status summary version")

# Words of a name that say how much or for whom, never what.
MODIFIERS = listed(
    "api async auto batch bulk do force hard mass mcp multi my please quick safe"
    " soft the tool try v"
)


Lines = tuple[tuple[str, float, str], ...]


class Verb(NamedTuple):
    """`nounish` words may just as well name a thing."""

    word: str
    category: str
    strength: float
    nounish: bool


def verbs_by_word(lines: Lines = VERBS) -> dict[str, Verb]:
    """The first line that holds a word decides."""
    found: dict[str, Verb] = {}
    for category, strength, line in lines:
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
