"""The servers of the proof: what is installed, how it is started, what is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

DOCUMENTS = Path(__file__).parent.parent / "policies" / "data" / "seed"
# What all five documents are about; only HealthOmics has it.
TOOL = "CancelAHORunBatch"
WRITES = ("--allow-write", "--allow-sensitive-data-access")
# The emulator runs a machine once: it names the executions that bring no name alike.
MACHINES = ("settle-invoice", "close-month")
CLUSTER, KEY = "proof", "proof:greeting"


class Seed(NamedTuple):
    """One server. `document` is its published policy, which lets `most` calls a minute
    through, or hides where that is None; `own` is a tool that the server really has."""

    key: str
    package: str
    document: str = ""
    most: int | None = None
    own: str = ""
    arguments: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    options: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return (DOCUMENTS / self.document).read_text()

    @property
    def text_for_own(self) -> str:
        """The same document about its own tool."""
        text = self.text.replace(TOOL, self.own)
        assert text != self.text
        return text


HOME = Seed("healthomics", "awslabs.aws-healthomics-mcp-server")
SEEDS = (
    Seed(
        key="cloudtrail",
        package="awslabs.cloudtrail-mcp-server",
        document="aws-labs-cloudtrail.json",
        own="lake_query",
        arguments={"sql": "SELECT eventName FROM x", "wait_for_completion": False},
    ),
    Seed(
        key="dataprocessing",
        package="awslabs.aws-dataprocessing-mcp-server",
        document="amazon-data-processing.json",
        own="manage_aws_glue_databases",
        arguments={"operation": "list-databases"},
        options=WRITES,
    ),
    Seed(
        key="stepfunctions",
        package="awslabs.stepfunctions-tool-mcp-server",
        document="aws-step-functions-tool.json",
        own="settle_invoice",
        arguments={"parameters": {"invoice": "INV-7"}},
    ),
    Seed(
        key="eks",
        package="awslabs.eks-mcp-server",
        document="amazon-eks.json",
        most=10,
        own="get_eks_vpc_config",
        arguments={"cluster_name": CLUSTER},
        options=WRITES,
    ),
    Seed(
        key="valkey",
        package="awslabs.valkey-mcp-server",
        document="awslabs-valkey.json",
        most=60,
        own="valkey_read",
        arguments={"command": "GET", "args": [KEY]},
    ),
)
