"""The servers of the shipped snapshot, each chosen by name, and what they start with.

Many refuse to start without an account. What they are given here opens nothing: made-up
words in the form that they check for. A server that calls its account for its list of
tools answers with what it has without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "x" * 40,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "FASTMCP_LOG_LEVEL": "ERROR",
}
AWS_FILES = {".aws/config": "[default]\nregion = us-east-1\n"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`script` is the program's name, where it is not the package's own.

    `files` are put into HOME. `empty` says why no tools are listed, where that is so.
    """

    kind: str
    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    empty: str = ""


def python(name: str, *arguments: str, **environment: str) -> Recipe:
    return Recipe("pypi", name, arguments, environment)


def node(name: str, *arguments: str, **environment: str) -> Recipe:
    return Recipe("npm", name, arguments, environment)


def aws(name: str, script: str = "", empty: str = "") -> Recipe:
    package = f"awslabs.{name}-mcp-server"
    return Recipe("pypi", package, (), AWS, script, AWS_FILES, empty)


RECIPES = (
    # AWS Labs
    aws("amazon-keyspaces"),
    aws("amazon-mq"),
    aws("amazon-neptune"),
    aws("amazon-sns-sqs"),
    aws("aws-bedrock-custom-model-import"),
    aws("aws-dataprocessing"),
    aws("aws-documentation"),
    aws("aws-healthomics"),
    aws("aws-iac"),
    aws("aws-iot-sitewise"),
    aws("aws-location"),
    aws("aws-network"),
    aws("aws-pricing"),
    aws("aws-serverless"),
    aws("aws-support"),
    aws("bedrock-kb-retrieval"),
    aws("billing-cost-management"),
    aws("cloudtrail"),
    aws("cloudwatch"),
    aws("cloudwatch-applicationsignals"),
    aws("documentdb"),
    aws("dynamodb"),
    aws("ecs", script="ecs-mcp-server"),
    aws("eks"),
    aws("elasticache"),
    aws("finch"),
    aws("iam"),
    aws("memcached"),
    aws("mysql"),
    aws("postgres"),
    aws("redshift"),
    aws("s3-tables"),
    aws(
        "stepfunctions-tool",
        empty="It makes a tool of each state machine of the account: none without one.",
    ),
    aws("timestream-for-influxdb"),
    aws("valkey"),
    aws("well-architected-security"),
    # The reference servers
    python("mcp-server-fetch"),
    python("mcp-server-git"),
    python("mcp-server-time"),
    node("@modelcontextprotocol/server-brave-search", BRAVE_API_KEY="x"),
    node("@modelcontextprotocol/server-everything"),
    node("@modelcontextprotocol/server-filesystem", "{home}"),
    node("@modelcontextprotocol/server-github", GITHUB_PERSONAL_ACCESS_TOKEN="x"),
    node("@modelcontextprotocol/server-gitlab", GITLAB_PERSONAL_ACCESS_TOKEN="x"),
    node("@modelcontextprotocol/server-google-maps", GOOGLE_MAPS_API_KEY="x"),
    node("@modelcontextprotocol/server-memory"),
    node("@modelcontextprotocol/server-puppeteer"),
    node("@modelcontextprotocol/server-sequential-thinking"),
    node("@modelcontextprotocol/server-slack", SLACK_BOT_TOKEN="x", SLACK_TEAM_ID="T0"),
    # Others, for Python
    python("alpaca-mcp-server", ALPACA_API_KEY="x", ALPACA_SECRET_KEY="x"),
    python("arxiv-mcp-server"),
    python("duckduckgo-mcp-server"),
    python(
        "mcp-atlassian",
        JIRA_URL="https://x.atlassian.net",
        JIRA_USERNAME="x",
        JIRA_API_TOKEN="x",
        CONFLUENCE_URL="https://x.atlassian.net/wiki",
        CONFLUENCE_USERNAME="x",
        CONFLUENCE_API_TOKEN="x",
    ),
    python(
        "mcp-clickhouse",
        CLICKHOUSE_HOST="127.0.0.1",
        CLICKHOUSE_USER="x",
        CLICKHOUSE_PASSWORD="x",
    ),
    python("mcp-obsidian", OBSIDIAN_API_KEY="x"),
    python("redis-mcp-server"),
    python("wikipedia-mcp"),
    # Others, for Node.js
    node("@azure/mcp", "server", "start"),
    node("@circleci/mcp-server-circleci", CIRCLECI_TOKEN="x"),
    node(
        "@cloudflare/mcp-server-cloudflare",
        "run",
        "0123456789abcdef0123456789abcdef",
        CLOUDFLARE_API_TOKEN="x",
    ),
    node(
        "@elastic/mcp-server-elasticsearch", ES_URL="http://127.0.0.1:1", ES_API_KEY="x"
    ),
    node("@hubspot/mcp-server", PRIVATE_APP_ACCESS_TOKEN="x"),
    node("@netlify/mcp"),
    node("@notionhq/notion-mcp-server", NOTION_TOKEN="ntn_x"),
    node("@playwright/mcp"),
    node("@sentry/mcp-server", "--access-token=x"),
    node("@shopify/dev-mcp"),
    node("@upstash/context7-mcp"),
    node("@wonderwhy-er/desktop-commander", "--no-onboarding"),
    node("@xeroapi/xero-mcp-server", XERO_CLIENT_ID="x", XERO_CLIENT_SECRET="x"),
    node("airtable-mcp-server", AIRTABLE_API_KEY="x"),
    node("chrome-devtools-mcp"),
    node("exa-mcp-server", EXA_API_KEY="x"),
    node("figma-developer-mcp", "--stdio", FIGMA_API_KEY="x"),
    node("firecrawl-mcp", FIRECRAWL_API_KEY="fc-x"),
    node("mcp-server-kubernetes"),
    node("mongodb-mcp-server"),
    node("square-mcp-server", "start", ACCESS_TOKEN="x", SANDBOX="true"),
    node("tavily-mcp", TAVILY_API_KEY="x"),
)


def why_empty(kind: str, name: str) -> tuple[str, ...]:
    """What to say of a server that lists no tools, where it is known."""
    return tuple(
        each.empty
        for each in RECIPES
        if (each.kind, each.name) == (kind, name) and each.empty
    )
