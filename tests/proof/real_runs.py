"""What each server truly does behind the gateway, seen where it was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import redis

from tests.proof.agent import Agent
from tests.proof.emulator import ACCOUNT, REGION
from tests.proof.proof import Proof
from tests.proof.seeds import CLUSTER, KEY, MACHINES

Calls = dict[str, dict[str, Any]]
# A path that is none, a fault of moto's own, an operation that it has not written.
NOT_SERVED = {404, 500, 501}
MACHINE = MACHINES[1]
ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE}"
ROLE, INLINE = "proof-reader", "read-objects"
TEMPLATE = {
    "Resources": {
        "Reader": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": ROLE,
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
            },
        }
    }
}
READS: Calls = {
    "manage_aws_glue_tables": {"operation": "list-tables", "database_name": "sales"},
    "manage_aws_glue_crawlers": {"operation": "get-crawlers"},
    "manage_aws_glue_connections": {"operation": "list-connections"},
    "manage_aws_glue_workflows": {"operation": "list-workflows"},
    "manage_aws_glue_sessions": {"operation": "list-sessions"},
    "manage_aws_athena_workgroups": {"operation": "list-work-groups"},
    "manage_aws_athena_named_queries": {"operation": "list-named-queries"},
    "manage_aws_emr_clusters": {"operation": "list-clusters"},
    "manage_aws_emr_serverless_applications": {"operation": "list-applications"},
    "list_s3_buckets": {},
    "get_roles_for_service": {"service_type": "glue"},
}


def step_functions(proof: Proof, agent: Agent) -> None:
    """Its tools start executions and read how they went; it has no others."""
    tool = MACHINE.replace("-", "_")
    with proof.report.check("stepfunctions: an execution truly runs") as said:
        before = _executions(proof)
        answer = agent.call(tool, {"parameters": {"invoice": "INV-8"}})
        assert "INV-8" in answer.text, answer.text
        after = _executions(proof)
        assert len(after) == len(before) + 1
        new = next(each for each in after if each not in before)
        asked = {"executionArn": new}
        seen = proof.emulator.ask("states", "AWSStepFunctions.DescribeExecution", asked)
        assert seen["status"] == "SUCCEEDED"
        assert json.loads(seen["input"]) == {"invoice": "INV-8"}
        said.append(f"the emulator has it, {MACHINE} with this input, SUCCEEDED")


def _executions(proof: Proof) -> list[str]:
    asked = {"stateMachineArn": ARN}
    found = proof.emulator.ask("states", "AWSStepFunctions.ListExecutions", asked)
    return [each["executionArn"] for each in found["executions"]]


def eks(proof: Proof, agent: Agent) -> None:
    with proof.report.check("eks: a read truly runs: the cluster's network") as said:
        asked = proof.emulator.requests().count((f"GET /clusters/{CLUSTER}", 200))
        answer = agent.call("get_eks_vpc_config", {"cluster_name": CLUSTER})
        vpc = proof.emulator.default_vpc()
        assert vpc in answer.text, answer.text
        now = proof.emulator.requests().count((f"GET /clusters/{CLUSTER}", 200))
        assert now > asked, "the emulator was not asked for the cluster"
        said.append(f"{vpc}, as the emulator says")
    with proof.report.check("eks: writes truly run: a stack, a role's policy") as said:
        said.append(_eks_writes(proof, agent))
    _eks_cannot(proof, agent)


def _eks_writes(proof: Proof, agent: Agent) -> str:
    file = proof.work / "stack.json"
    file.write_text(json.dumps(TEMPLATE))
    stack = {"template_file": str(file), "cluster_name": CLUSTER}
    made = agent.call("manage_eks_stacks", {"operation": "deploy"} | stack)
    assert not made.failed, made.text
    rule = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    named = {"role_name": ROLE, "policy_name": INLINE}
    added = agent.call("add_inline_policy", named | {"permissions": rule})
    assert not added.failed, added.text
    read = agent.call("get_policies_for_role", {"role_name": ROLE})
    assert "s3:GetObject" in read.text, read.text
    name = f"eks-{CLUSTER}-stack"
    assert name in proof.emulator.query("cloudformation", "DescribeStacks")
    kept = {"RoleName": ROLE, "PolicyName": INLINE}
    assert "s3%3AGetObject" in proof.emulator.query("iam", "GetRolePolicy", kept)
    return f"the emulator has {name}, and {INLINE} of {ROLE}"


def _eks_cannot(proof: Proof, agent: Agent) -> None:
    file = str(proof.work / "cluster.yaml")
    asked = {"template_file": file, "cluster_name": "made"}
    with proof.report.check("eks: the server's own cluster template is generated"):
        made = agent.call("manage_eks_stacks", asked | {"operation": "generate"})
        assert not made.failed, made.text
    calls = {
        "manage_eks_stacks": asked | {"operation": "deploy"},
        "get_eks_insights": {"cluster_name": CLUSTER},
    }
    what = "eks: deploying that template, insights"
    with proof.report.check("eks: what is left reaches the emulator"):
        if unserved := _unserved(proof, agent, calls):
            proof.report.cannot(what, f"moto does not serve {', '.join(unserved)}")
    proof.report.cannot(
        "eks: Kubernetes resources, logs, events", "the emulator has no Kubernetes"
    )


def _unserved(proof: Proof, agent: Agent, calls: Calls) -> list[str]:
    """The tools whose last request the emulator does not know; any other failure is
    one of ours."""
    names = []
    for name, arguments in calls.items():
        before = len(proof.emulator.requests())
        answer = agent.call(name, arguments)
        assert answer.from_server, f"{name}: {answer}"
        if answer.failed:
            asked = proof.emulator.requests()[before:]
            known = not asked or asked[-1][1] not in NOT_SERVED
            assert not known, f"{name}: {answer.text}; the emulator was asked {asked}"
            names.append(name)
    return names


def valkey(proof: Proof, agent: Agent) -> None:
    with proof.report.check("valkey: a write and a read truly run") as said:
        written = {"command": "SET", "args": [KEY, "hello from the gateway"]}
        answer = agent.call("valkey_write", written)
        assert not answer.failed, answer.text
        read = agent.call("valkey_read", {"command": "GET", "args": [KEY]})
        assert "hello from the gateway" in read.text, read.text
        with redis.Redis.from_url(proof.valkey) as server:
            assert server.get(KEY) == b"hello from the gateway"
        said.append(f"{KEY} read back from the Valkey itself")
    missing = agent.call("json_set", {"key": "proof:json", "value": {"a": 1}})
    if missing.failed or "unknown command" in missing.text.lower():
        why = "this Valkey has neither the JSON nor the search module"
        proof.report.cannot("valkey: JSON documents, search indexes", why)


def data_processing(proof: Proof, agent: Agent) -> None:
    with proof.report.check("dataprocessing: a write and a read truly run") as said:
        database = {"database_name": "sales", "description": "of the proof"}
        wanted = {"operation": "create-database"} | database
        made = agent.call("manage_aws_glue_databases", wanted)
        assert not made.failed, made.text
        read = agent.call("manage_aws_glue_databases", {"operation": "list-databases"})
        assert '"name": "sales"' in read.text, read.text
        found = proof.emulator.ask("glue", "AWSGlue.GetDatabase", {"Name": "sales"})
        assert found["Database"]["Description"] == "of the proof"
        said.append("the emulator has the database")
    with proof.report.check("dataprocessing: reads of other tools truly run") as said:
        unserved = _unserved(proof, agent, READS)
        said.append(f"{len(READS) - len(unserved)} of the {len(READS)} tried")
        if unserved:
            what = "dataprocessing: the other reads that were tried"
            proof.report.cannot(what, f"moto does not serve {', '.join(unserved)}")


def cloud_trail(proof: Proof, agent: Agent) -> None:
    calls: Calls = {
        "lookup_events": {},
        "lake_query": {"sql": "SELECT eventName FROM x", "wait_for_completion": False},
        "get_query_status": {"query_id": "00000000-0000-0000-0000-000000000000"},
        "get_query_results": {"query_id": "00000000-0000-0000-0000-000000000000"},
        "list_event_data_stores": {},
    }
    with proof.report.check("cloudtrail: each of its tools is reached") as said:
        unserved = _unserved(proof, agent, calls)
        assert all(proof.bridges["cloudtrail"].reached(name) for name in calls)
        assert set(agent.tools()) == set(calls)
        said.append(f"{len(calls)} tools")
        if unserved:
            why = f"moto does not serve {', '.join(unserved)}"
            proof.report.cannot("cloudtrail: real runs", why)


REAL_RUNS: dict[str, Callable[[Proof, Agent], None]] = {
    "cloudtrail": cloud_trail,
    "dataprocessing": data_processing,
    "stepfunctions": step_functions,
    "eks": eks,
    "valkey": valkey,
}
