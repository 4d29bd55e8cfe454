"""What the five published documents promise: (a) before the server that has the tool,
(b) about a real tool of their own server, and (c) on their own server, unchanged."""

from __future__ import annotations

from tests.proof.agent import connected
from tests.proof.proof import Attempt, Proof
from tests.proof.real_runs import REAL_RUNS
from tests.proof.seeds import HOME, TOOL, Seed

OTHER = "ListAHORuns"
BATCH = {"batch_id": "1234567"}
# Of a profile that is not there: the server answers at once. Building an AWS client
# sixty times may take a busy machine longer than the minute of the limit.
QUICK = BATCH | {"aws_profile": "none"}
NO_SUCH_TOOL = "The server has no tool of this name."
ALLOW = '{"version": "1", "default": "allow"}\n'


def before_healthomics(proof: Proof, seed: Seed) -> None:
    """(a), pasted into the browser's editor. A grant for each: limits are theirs."""
    report, name = proof.report, f"{seed.key} before healthomics"
    with report.check(f"(a) {seed.key}: published unchanged for HealthOmics") as said:
        warnings = proof.person.publish(name, HOME.key, seed.text)
        assert proof.person.published() == seed.text.splitlines(), "it was changed"
        assert NO_SUCH_TOOL not in " ".join(warnings), "but it has this tool"
        said.append("pasted in the browser")
    what = f"limited from call {seed.most + 1} on" if seed.most else "gone and unknown"
    with report.check(f"(a) {seed.key}: {TOOL} is {what}") as said:
        endpoint, token = proof.person.mint(f"{seed.key} agent", name)
        with connected(endpoint, token) as agent:
            bridge = proof.bridges[HOME.key]
            attempt = Attempt(agent, bridge, TOOL, QUICK)
            said += _enforced(attempt, seed, OTHER)


def about_its_own_tool(proof: Proof, seed: Seed) -> None:
    """(b), as configuration in a file, then what the server truly does."""
    report, name = proof.report, f"{seed.key}-own"
    bridge = proof.bridges[seed.key]
    grant: dict[str, str] = {}
    with report.check(f"(b) {seed.key}: the document about {seed.own} is applied"):
        grant = proof.apply(seed.key, name, seed.text_for_own)
    if not grant:
        return
    with connected(grant["endpoint"], grant["token"]) as agent:
        attempt = Attempt(agent, bridge, seed.own, seed.arguments)
        what = f"limited from call {seed.most + 1} on" if seed.most else "gone, unknown"
        with report.check(f"(b) {seed.key}: {seed.own} is {what}") as said:
            said += _enforced(attempt, seed, TOOL)
        with report.check(f"(b) {seed.key}: policy away, the next call passes"):
            proof.apply(seed.key, name, ALLOW)
            attempt.passes()
            assert seed.own in agent.tools()
        REAL_RUNS[seed.key](proof, agent)


def on_its_own_server(proof: Proof, seed: Seed) -> None:
    """(c), pasted into the browser's editor."""
    what = f"(c) {seed.key}: publishes unchanged on its own server, and warns"
    with proof.report.check(what) as said:
        name = f"{seed.key} unchanged"
        warnings = proof.person.publish(name, seed.key, seed.text)
        assert proof.person.published() == seed.text.splitlines(), "it was changed"
        assert any(NO_SUCH_TOOL in each for each in warnings), f"warned {warnings}"
        said.append(f"“{NO_SUCH_TOOL}”")


def _enforced(attempt: Attempt, seed: Seed, other: str) -> list[str]:
    if seed.most is None:
        attempt.is_unknown()
        assert attempt.agent.tools() == [], "the rest is denied by default"
        return [f"“Unknown tool: {attempt.tool}”"]
    said = attempt.is_limited_after(seed.most)
    attempt.is_all_there_is(other)
    return [said]
