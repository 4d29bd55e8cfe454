"""Where a verb alone would mislead: verb and object together. Pure data.

The first case that fits decides; it replaces what the verb alone would say. `objects`
are looked for in the rest of the name (in the opening sentence where the name has no
verb), `near` in the opening sentence and the names of the parameters too. Words are
compared by stems; `credit_note` is two words in a row.
"""

from __future__ import annotations

from catalog.classifier.case import ANY, CHANGING, Case
from catalog.classifier.lexicon import (
    EXECUTE,
    FAIR,
    FINANCIAL,
    OTHER,
    READ,
    STRONG,
    WRITE,
)
from catalog.classifier.running_cases import RUNNING

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
        "money_taken",
        FINANCIAL,
        STRONG,
        "takes money, or lets it be taken",
        "capture authorize checkout settle collect",
        objects="payment charge cart basket authorization debt fee",
    ),
    Case(
        "booked",
        FINANCIAL,
        FAIR,
        "binds somebody to pay",
        "book reserve",
        objects="flight hotel room trip ticket car ride taxi cruise train",
    ),
    Case(
        "loaded",
        WRITE,
        FAIR,
        "stores what it loads",
        "load",
        objects="data row record table csv batch dataset",
    ),
    *RUNNING,
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
