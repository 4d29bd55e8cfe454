"""Where a verb alone would mislead: verb and object together. Pure data.

The first case that fits decides; it replaces what the verb alone would say. `objects`
are looked for in the rest of the name (in the opening sentence where the name has no
verb), `near` in the opening sentence and the names of the parameters too. Words are
compared by stems; `credit_note` is two words in a row.
"""

from __future__ import annotations

from typing import NamedTuple

from catalog.classifier.lexicon import (
    DESTRUCTIVE,
    EXECUTE,
    FAIR,
    FINANCIAL,
    OTHER,
    READ,
    STRONG,
    WRITE,
)
from catalog.classifier.words import listed, stemmed

# Any verb or none; none; any verb of a category that changes something.
ANY, NO_VERB, CHANGING = "*", "*none", "*changing"
# Those that keep a copy, and change nothing of what it is about.
COPYING = listed("download save backup upload attach")


class Case(NamedTuple):
    """`said` must be among what the description says (`phrases`), `unsaid` must not.

    `given` are names of parameters. `alone`: whether nothing that must be given points
    at what is kept somewhere; None where it does not matter.
    """

    name: str
    category: str
    strength: float
    why: str
    verbs: str
    objects: str = ""
    near: str = ""
    said: str = ""
    unsaid: str = ""
    given: str = ""
    alone: bool | None = None


BROWSER = (
    "browser webpage element selector dom keyboard mouse dialog dropdown viewport"
    " devtools checkbox textbox web_page"
)
GUIDES = (
    "help guidance guideline guide instruction tutorial best_practice cheatsheet faq"
    " howto methodology"
)
MONEY = (
    "invoice payment refund payout charge coupon discount payment_link credit_note"
    " payment_intent checkout checkout_session promotion_code gift_card"
    " bank_transaction bank_transfer wire_transfer dispute chargeback donation loan"
    " purchase sale trade stock_order market_order limit_order bracket_order quote"
    " withdrawal deposit wallet fund money balance price pricing price_list bill"
    " tax_rate invoice_item subscription_item subscription_schedule expense"
    " prepayment overpayment draft_order purchase_order sales_order store_credit"
)
CONTRACTS = (
    "order position subscription transfer plan transaction option leverage credit"
)
ABOUT_MONEY = (
    "money payment amount currency price usd eur symbol qty share stock crypto"
    " customer broker brokerage trading trade billing notional portfolio market"
    " invoice margin buy sell coupon checkout cart merchant"
)
QUERIES = (
    "query sql statement cypher gremlin opencypher sparql graphql cql hql kql soql aql"
    " n1ql flux influxql transaction"
)
CODE = (
    "code script command shell python javascript js bash terminal function lambda"
    " program expression cmd macro notebook cell sandbox container process"
)

CASES = (
    Case(
        "guide",
        READ,
        STRONG,
        "names guidance that is answered with",
        ANY,
        objects=GUIDES,
    ),
    Case(
        "report",
        READ,
        FAIR,
        "answers with what it makes of stored data",
        "run execute perform",
        objects="report search lookup",
    ),
    Case(
        "money",
        FINANCIAL,
        STRONG,
        "changes what money moves by",
        CHANGING,
        objects=MONEY,
    ),
    Case(
        "order",
        FINANCIAL,
        STRONG,
        "places, changes or cancels an order",
        "place create submit cancel replace amend modify update close "
        " exercise liquidate execute add",
        objects="order option_position options_position position",
    ),
    Case(
        "contract",
        FINANCIAL,
        STRONG,
        "changes an order, a position or a contract about money",
        CHANGING,
        objects=CONTRACTS,
        near=ABOUT_MONEY,
    ),
    Case(
        "money_sent",
        FINANCIAL,
        STRONG,
        "sends money",
        "send transfer sign",
        objects="transaction money fund token coin eth btc sol bitcoin crypto",
    ),
    Case(
        "chosen_page",
        OTHER,
        FAIR,
        "chooses for the calls that follow",
        "select switch use choose",
        near="context subsequent session active default future",
    ),
    Case(
        "browser",
        EXECUTE,
        STRONG,
        "steers a browser",
        "click type press hover drag drop fill select choose navigate scroll swipe tap"
        " goto go evaluate handle emulate screencast dblclick uncheck focus submit",
        near=BROWSER,
    ),
    Case(
        "page_in_browser",
        EXECUTE,
        STRONG,
        "steers a browser",
        "close open resize record switch",
        objects="page tab window viewport",
    ),
    Case(
        "browser_itself",
        EXECUTE,
        STRONG,
        "steers a browser",
        "close open resize create upload record switch",
        near="browser chromium playwright puppeteer devtools webdriver",
    ),
    Case(
        "browser_upload",
        EXECUTE,
        STRONG,
        "steers a browser",
        "upload",
        near="element selector chooser",
    ),
    Case(
        "tabs",
        EXECUTE,
        FAIR,
        "steers a browser",
        ANY,
        objects="tab",
        near="browser",
    ),
    Case(
        "destructive_command",
        DESTRUCTIVE,
        FAIR,
        "calls itself destructive",
        "run execute exec perform do call",
        near="destructive",
    ),
    Case(
        "reading_query",
        READ,
        FAIR,
        "takes a query, and says that it only reads",
        "run execute exec perform query invoke submit start",
        objects=QUERIES,
        said="read_only",
        unsaid="read_only_mode",
    ),
    Case(
        "log_query",
        READ,
        FAIR,
        "takes a query in a language that can only read",
        "run execute exec perform query invoke submit start",
        objects="query",
        near="log logs logs_insight insight promql logql jql kusto lucene metric trace"
        " xray",
    ),
    Case(
        "query",
        EXECUTE,
        STRONG,
        "runs whatever query it is given",
        "run execute exec invoke perform submit eval evaluate start",
        objects=QUERIES,
    ),
    Case(
        "query_in_sql",
        EXECUTE,
        FAIR,
        "runs whatever statement it is given",
        "query",
        near="sql statement cypher gremlin",
        unsaid="read_only",
    ),
    Case(
        "pipeline",
        READ,
        FAIR,
        "answers with what it puts together of stored data",
        "run execute perform aggregate",
        objects="aggregation aggregate",
    ),
    Case(
        "code",
        EXECUTE,
        STRONG,
        "runs whatever code or command it is given",
        "run execute exec eval evaluate invoke send start call submit",
        objects=CODE,
    ),
    Case(
        "statement",
        EXECUTE,
        FAIR,
        "takes a statement in a language that can do more than read",
        NO_VERB,
        objects="sql esql cypher gremlin",
        unsaid="read_only",
    ),
    Case(
        "agent",
        EXECUTE,
        FAIR,
        "sets something going that acts on its own",
        NO_VERB,
        objects="agent subagent",
    ),
    Case(
        "keys",
        EXECUTE,
        STRONG,
        "types into something that runs",
        "send",
        objects="key keys keystroke input signal keyboard",
    ),
    Case(
        "applied",
        WRITE,
        FAIR,
        "sets a mark or a rule",
        "apply",
        objects="label tag style format theme filter setting policy rule permission",
    ),
    Case(
        "upgraded",
        EXECUTE,
        FAIR,
        "rolls out what then runs",
        "upgrade",
        objects="helm chart release cluster deployment stack",
    ),
    Case(
        "port",
        EXECUTE,
        FAIR,
        "starts something that runs on",
        "forward",
        objects="port",
    ),
    Case(
        "opened",
        EXECUTE,
        FAIR,
        "opens something outside",
        "open",
        objects="url link app application program browser website",
    ),
    Case(
        "requests",
        EXECUTE,
        FAIR,
        "sends any request it is given",
        "make call do send perform",
        objects="api request http call tool endpoint rpc",
    ),
    Case(
        "migration",
        EXECUTE,
        FAIR,
        "steers something that runs",
        "test complete finalize promote cutover begin",
        objects="migration failover switchover deployment rollout cutover replication",
    ),
    Case(
        "build",
        EXECUTE,
        STRONG,
        "runs a build",
        "build",
        objects="image container docker project app application package solution",
    ),
    Case(
        "built_text",
        OTHER,
        FAIR,
        "puts its arguments together",
        "build construct compose",
        objects="url query prompt link uri filter expression",
    ),
    Case(
        "session",
        OTHER,
        FAIR,
        "acts on this session alone",
        "set select switch use choose change connect open init initialize reset close"
        " clear",
        objects="context session connection console screen conversation thinking",
    ),
    Case(
        "numbers",
        OTHER,
        FAIR,
        "adds numbers",
        "add sum",
        objects="number numbers",
    ),
    Case(
        "sum",
        OTHER,
        FAIR,
        "computes from its arguments",
        ANY,
        objects="sum uuid random",
    ),
    Case(
        "inference",
        OTHER,
        FAIR,
        "answers with what a model makes of its arguments",
        "run generate create call",
        objects="inference embedding completion",
    ),
    Case(
        "arguments_alone",
        OTHER,
        FAIR,
        "works from its arguments alone",
        "validate check lint format fix parse compile test",
        given="template_content code content yaml snippet config_file source_code text"
        " expression json markdown html script template query data config schema input",
        alone=True,
    ),
    Case(
        "priced",
        READ,
        FAIR,
        "answers from a price list",
        "calculate compute",
        objects="cost price pricing bill saving",
    ),
    Case(
        "computed_of_kept",
        READ,
        FAIR,
        "computes from what is kept",
        "calculate compute convert parse classify visualize plot",
        alone=False,
    ),
    Case(
        "kept_file",
        READ,
        FAIR,
        "reads what its arguments point at",
        "parse tokenize",
        given="file_path path url uri file document_id",
    ),
    Case(
        "route",
        READ,
        FAIR,
        "answers from a map",
        "calculate compute optimize convert reverse",
        objects="route matrix geocode waypoint direction address elevation distance",
    ),
    Case(
        "job",
        EXECUTE,
        STRONG,
        "starts a job",
        "submit enqueue schedule",
        objects="job run batch execution",
    ),
    Case(
        "opened_matter",
        WRITE,
        STRONG,
        "opens a matter",
        "open",
        objects="issue ticket case incident pull pr discussion",
    ),
    Case(
        "ticket",
        WRITE,
        STRONG,
        "closes a matter that can be opened again",
        "resolve",
        objects="case issue ticket thread alert incident conversation discussion bug"
        " task comment",
    ),
    Case(
        "trigger",
        WRITE,
        FAIR,
        "stores a trigger",
        "trigger",
        objects="trigger",
    ),
)


class Prepared(NamedTuple):
    """A case with its words as stems. `near` of no words is always near."""

    case: Case
    verbs: frozenset[str]
    objects: frozenset[str]
    near: frozenset[str]
    given: frozenset[str]


def prepared(cases: tuple[Case, ...] = CASES) -> tuple[Prepared, ...]:
    return tuple(
        Prepared(
            c, listed(c.verbs), stemmed(c.objects), stemmed(c.near), stemmed(c.given)
        )
        for c in cases
    )
