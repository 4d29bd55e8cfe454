"""“Use this policy”: the catalogue's policy, by what one's own server lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Membership, Organization
from catalog.models import CatalogServer, CatalogTool
from policies import publishing
from policies.models import Policy
from policies.recommended import EXECUTE
from servers.models import Origin, Server
from tests.policies.web.conftest import tool

pytestmark = pytest.mark.django_db
PLACE = "/tools/some-files/use/"


@pytest.fixture
def catalogued(db: None) -> CatalogServer:
    server = CatalogServer.objects.create(
        slug="some-files", name="Some files", publisher="some", publisher_name="Some",
        source_kind="npm", source="some-files", version="2.1.0", tools_listed=4,
    )  # fmt: skip
    rows = [
        ("get", "Read"), ("put", "Write"), ("drop", "Destructive"), ("run", "Execute"),
    ]  # fmt: skip
    CatalogTool.objects.bulk_create(
        CatalogTool(
            server=server,
            slug=name,
            name=name,
            fingerprint="1" * 64,
            category=category,
            severity="low",
            classifier="1",
            publisher="some",
            verdict={"doubtful": False},
        )
        for name, category in rows
    )
    return server


def own(organization: Organization, name: str, **tools: str) -> Server:
    server = Server.objects.create(organization=organization, name=name, url="http://x")
    for each, category in tools.items():
        tool(server, each, category=category, verdict_origin=Origin.CLASSIFIER)
    return server


def test_servers_with_the_same_tools_come_first(
    catalogued: CatalogServer, acme: Organization, bob: Membership, sign_in: Any
) -> None:
    own(acme, "a mail", send="Write")
    files = own(acme, "files", get="Read", drop="Destructive")
    page = sign_in(bob).get(PLACE).content.decode()
    assert page.index("files: 2 of 4 tools") < page.index("a mail: 0 of 4 tools")
    checked = page.index("checked")
    assert files.public_id in page[checked - 200 : checked + 200]


def test_live_definitions_take_the_catalogues_place(
    catalogued: CatalogServer,
    acme: Organization,
    alice: Membership,
    bob: Membership,
    sign_in: Any,
) -> None:
    """Here `get` runs something, and `extra` is not in the catalogue."""
    files = own(acme, "files", get="Execute", put="Write", extra="Destructive")
    answer = sign_in(bob).post(PLACE, {"server": files.public_id}, follow=True)
    policy = Policy.objects.for_organization(acme).get()
    assert (policy.name, policy.current) == ("Some files – from the catalogue", None)
    draft = json.loads(policy.draft)
    assert draft["tools"]["get"]["reason"] == EXECUTE
    assert draft["tools"]["put"]["limits"][0]["max"] == 30
    assert draft["tools"]["run"]["action"] == "require_approval"
    assert draft["hide"] == ["drop", "extra"]
    assert "Some files 2.1.0" in draft["description"]
    assert publishing.check(policy.draft, policy, bob.user).problems == ()
    page = answer.content.decode()
    assert "3 tools by their live definitions (1 of them" in page
    assert "2 as the catalogue knows them" in page


def test_a_server_of_another_organization_is_no_choice(
    catalogued: CatalogServer, other: Organization, bob: Membership, sign_in: Any
) -> None:
    theirs = own(other, "theirs", get="Read")
    client = sign_in(bob)
    assert client.post(PLACE, {"server": theirs.public_id}).status_code == 422
    assert b"theirs" not in client.get(PLACE).content
    assert not Policy.objects.across_organizations().exists()


def test_without_a_server_it_is_said_how_to_have_one(
    catalogued: CatalogServer, alice: Membership, bob: Membership, sign_in: Any
) -> None:
    page = sign_in(alice).get(PLACE).content.decode()
    assert "npx -y some-files" in page
    assert 'href="/servers/add/"' in page
    assert "An admin of this organization" in sign_in(bob).get(PLACE).content.decode()


def test_one_that_has_an_address_is_added_by_it(
    catalogued: CatalogServer, alice: Membership, sign_in: Any
) -> None:
    catalogued.source_kind = "url"
    catalogued.source = "https://files.example/mcp?a=b&c"
    catalogued.save(update_fields=["source_kind", "source"])
    client = sign_in(alice)
    address = "/servers/add/?url=https%3A%2F%2Ffiles.example%2Fmcp%3Fa%3Db%26c"
    assert f'href="{address}"' in client.get(PLACE).content.decode()
    form = client.get(address).content.decode()
    assert 'value="https://files.example/mcp?a=b&amp;c"' in form


def test_one_that_was_taken_back_is_not_offered(
    catalogued: CatalogServer, bob: Membership, sign_in: Any
) -> None:
    CatalogServer.objects.update(status="deleted")
    assert sign_in(bob).get(PLACE).status_code == 404
