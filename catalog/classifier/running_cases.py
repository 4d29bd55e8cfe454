"""Cases of what runs: browsers, queries, code, deployments. Pure data."""

from __future__ import annotations

from catalog.classifier.case import ANY, NO_VERB, Case
from catalog.classifier.lexicon import (
    DESTRUCTIVE,
    EXECUTE,
    FAIR,
    OTHER,
    READ,
    STRONG,
    WRITE,
)

BROWSER = (
    "browser webpage element selector dom keyboard mouse dialog dropdown viewport"
    " devtools checkbox textbox web_page"
)
QUERIES = (
    "query sql statement cypher gremlin opencypher sparql graphql cql hql kql soql aql"
    " n1ql flux influxql transaction"
)
CODE = (
    "code script command shell python javascript js bash terminal function lambda"
    " program expression cmd macro notebook cell sandbox container process"
)

RUNNING = (
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
)
