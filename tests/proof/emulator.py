"""moto's server in the place of AWS, and what the proof itself asks of it.

Requests are unsigned but for the scope, by which moto knows service and region.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from config.children import Plan
from tests.proof.environments import Environment
from tests.proof.processes import answers, running
from tests.proof.seeds import CLUSTER, MACHINES
from tests.run.made import free_port

REGION, ACCOUNT, KEY = "us-east-1", "123456789012", "testing"
DEFINITION = {
    "Comment": "Gives back what it is given.",
    "StartAt": "Pass",
    "States": {"Pass": {"Type": "Pass", "End": True}},
}
COLOURS = re.compile(r"\x1b\[\d+m")
LOGGED = re.compile(r'"(?P<request>[A-Z]+ \S+) HTTP/[\d.]+" (?P<status>\d{3})')


class Emulator:
    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log

    def environment(self) -> dict[str, str]:
        """What keeps an AWS client here: endpoint, dummy keys, no metadata service."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Else "workflows-" is put before the host, which then is none of ours.
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def requests(self) -> list[tuple[str, int]]:
        """Method with path, and status, of each request that it has answered."""
        text = COLOURS.sub("", self.log.read_text(errors="replace"))
        found = LOGGED.finditer(text)
        return [(each["request"], int(each["status"])) for each in found]

    def ask(
        self, service: str, operation: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """`operation` is a target ("AWSStepFunctions.StartExecution", JSON 1.0), or
        method and path ("GET /clusters"). Raises RuntimeError with the answer."""
        method, _, path = operation.rpartition(" ")
        if method:
            headers = {"Content-Type": "application/json"}
        else:
            method, path = "POST", "/"
            headers = {"Content-Type": "application/x-amz-json-1.0"}
            headers["X-Amz-Target"] = operation
        data = None if body is None else json.dumps(body).encode()
        asked = Request(self.url + path, data, headers, method=method)
        said: dict[str, Any] = json.loads(self._send(service, asked) or b"{}")
        return said

    def query(
        self, service: str, action: str, parameters: dict[str, str] | None = None
    ) -> str:
        """The XML of the services that speak the query protocol."""
        form = {"Action": action} | (parameters or {})
        asked = Request(self.url, urlencode(form).encode(), method="POST")
        return self._send(service, asked).decode()

    def default_vpc(self) -> str:
        found = re.search(r"<vpcId>(vpc-\w+)<", self.query("ec2", "DescribeVpcs"))
        assert found, "the emulator has no network"
        return found[1]

    def _send(self, service: str, asked: Request) -> bytes:
        scope = f"{KEY}/20260101/{REGION}/{service}/aws4_request"
        signed = "SignedHeaders=host, Signature=0"
        asked.add_header(
            "Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, {signed}"
        )
        try:
            with urlopen(asked, timeout=30) as answer:
                said: bytes = answer.read()
                return said
        except HTTPError as error:
            text = error.read()[:300].decode(errors="replace")
            raise RuntimeError(f"{service} answered {error.code}: {text}") from None


@contextmanager
def emulating(moto: Environment, work: Path) -> Iterator[Emulator]:
    port, log = free_port(), work / "emulator.log"
    argv = [moto.script("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(work)}
    plan = Plan("the emulator", argv, env, ready=lambda: answers(port), cwd=str(work))
    with running(plan, log):
        emulator = Emulator(f"http://127.0.0.1:{port}", log)
        _prepare(emulator)
        yield emulator


def _prepare(emulator: Emulator) -> None:
    """State machines that give back what they are given, a cluster in a network."""
    # Without it executions stay RUNNING for ever.
    wanted = {"stepfunctions": {"execute_state_machine": True}}
    emulator.ask("moto", "POST /moto-api/config", wanted)
    role = f"arn:aws:iam::{ACCOUNT}:role/proof"
    for name in MACHINES:
        machine = {"name": name, "roleArn": role, "definition": json.dumps(DEFINITION)}
        emulator.ask("states", "AWSStepFunctions.CreateStateMachine", machine)
    network = {"vpcId": emulator.default_vpc(), "subnetIds": []}
    cluster = {"name": CLUSTER, "roleArn": role, "resourcesVpcConfig": network}
    emulator.ask("eks", "POST /clusters", cluster)
