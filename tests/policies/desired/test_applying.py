"""The command from its file to the rows; what it refuses changes nothing."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import redis
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts import generation
from accounts.models import GenerationChange, Membership, Organization, Role, User
from accounts.tenancy import TenantQuerySet
from policies import granting, publishing, tokens
from policies.desired import applying
from policies.models import Grant, Policy, PolicyVersion
from servers import refreshing
from servers.models import Credential, Server, ToolDefinition
from tests.conftest import member
from tests.servers.upstream import tool

TOUCHED = (
    *(Policy, PolicyVersion, Grant, Server, Credential, ToolDefinition),
    *(Organization, Membership, User),
)


def rows() -> dict[str, list[str]]:
    """Everything stored that a run may touch, to compare before and after."""
    found = {}
    for model in TOUCHED:
        every: Any = model._default_manager.all()
        if isinstance(every, TenantQuerySet):
            every = every.across_organizations()
        found[model.__name__] = sorted(str(row.pk) for row in every)
    return found


def only(model, organization=None):
    return model.objects.across_organizations().get()


def test_a_file_brings_about_all_that_it_names(config, apply):
    done = apply(config)
    assert done.status == 0
    acme = Organization.objects.get(slug="acme")
    assert (acme.name, acme.zone) == ("Acme", "Europe/Paris")
    alice, server, policy, grant = map(only, (Membership, Server, Policy, Grant))
    assert (alice.user.email, alice.role) == ("alice@example.com", "owner")
    assert refreshing.headers_of(server) == {"x-api-key": "k3y"}
    tools = ToolDefinition.objects.for_organization(acme)
    assert {each.name for each in tools} == {"read_file", "write_file"}
    assert policy.current.number == 1
    assert (grant.label, grant.tags, grant.policy) == ("support-bot", ["prod"], policy)
    [said] = done.json["grants"]
    assert said["label"] == "support-bot"
    assert said["endpoint"] == f"http://127.0.0.1:8000/mcp/{server.public_id}"
    assert tokens.digest(said["token"]) == bytes(grant.token_hash)
    assert len(done.json["changes"]) == 5


def test_the_second_run_changes_nothing(config, apply):
    first = apply(config)
    before = rows()
    changes = GenerationChange.objects.count()
    second = apply(config)
    assert (second.status, second.json["changes"]) == (0, [])
    assert rows() == before
    assert GenerationChange.objects.count() == changes
    [said] = second.json["grants"]
    assert said == first.json["grants"][0] | {"token": None}
    assert len(mail.outbox) == 1


def test_a_dry_run_says_the_same_and_changes_nothing(config, apply):
    before = rows()
    dry = apply(config, "--dry-run", "--json")
    assert rows() == before
    assert mail.outbox == []
    done = apply(config)
    assert dry.json["changes"] == done.json["changes"]
    nothing = {"label": "support-bot", "endpoint": None, "token": None}
    assert dry.json["grants"] == [nothing]
    assert apply(config, "--dry-run", "--json").json["grants"] == [
        nothing | {"endpoint": done.json["grants"][0]["endpoint"]}
    ]
    config["grants"][0]["revoked"] = True
    before = only(Grant).revoked_at
    dry = apply(config, "--dry-run")
    assert dry.out == "would change: grant support-bot: revoked\n"
    assert only(Grant).revoked_at == before is None


def test_without_json_changes_and_new_tokens_are_lines(config, apply):
    done = apply(config, "--dry-run")
    assert done.out.startswith("would change: organization acme: made\n")
    lines = apply(config, "--no-color").out.splitlines()
    assert "policy support: version 1 published" in lines
    assert re.fullmatch(r"token of support-bot: pl_\w{40}_\w{6}", lines[-1])
    assert apply(config, "--no-color").out == "no changes\n"


def test_a_member_without_account_is_mailed_a_link_to_set_a_password(config, apply):
    apply(config)
    user = User.objects.get()
    assert not user.has_usable_password()
    [sent] = mail.outbox
    assert sent.to == ["alice@example.com"]
    [link] = re.findall(
        r"http://127.0.0.1:8000(/account/password/reset/key/\S+)", str(sent.body)
    )
    client = Client(HTTP_HOST="127.0.0.1:8000")
    page = client.get(link, follow=True)
    password = "a very long sentence 17"
    client.post(
        page.redirect_chain[-1][0], {"password1": password, "password2": password}
    )
    signed_in = client.post(
        "/account/login/", {"login": "alice@example.com", "password": password}
    )
    assert signed_in.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_member_with_an_account_is_not_mailed(config, apply, charlie):
    config["members"].append({"email": "Charlie@Example.com", "role": "viewer"})
    apply(config)
    assert [each.to for each in mail.outbox] == [["alice@example.com"]]
    assert {m.role for m in charlie.user.memberships.across_organizations()} == {
        "owner",
        "viewer",
    }


def test_a_mail_that_cannot_be_sent_is_told_and_the_rest_stands(
    config, apply, settings
):
    settings.EMAIL_BACKEND = "tests.policies.desired.broken_mail.Backend"
    done = apply(config)
    assert done.status == 4
    assert "alice@example.com" in done.said
    assert only(Grant).label == "support-bot"


def test_what_the_file_does_not_name_is_left_alone(config, apply):
    apply(config)
    acme = Organization.objects.get()
    bob = member(acme, "bob", Role.POLICY_MANAGER)
    server = only(Server)
    granting.mint(bob, holder=bob, server=server, policy=None, label="bobs")
    publishing.create(server, "other", "{}", bob.user)
    before = rows()
    assert apply({"organization": {"slug": "acme"}}).json["changes"] == []
    del config["servers"][0]["headers"], config["grants"][0]["tags"]
    assert apply(config).json["changes"] == []
    assert rows() == before
    assert refreshing.headers_of(only(Server)) == {"x-api-key": "k3y"}


def test_each_difference_is_one_change_that_sets_the_generation_anew(config, apply):
    apply(config)
    member(Organization.objects.get(), "bob", Role.VIEWER)

    def differs(change, *path):
        wanted = copy.deepcopy(config)
        *outer, last = path[:-1]
        target = wanted
        for step in outer:
            target = target[step]
        target[last] = path[-1]
        before = GenerationChange.objects.count()
        assert apply(wanted).json["changes"] == [change]
        assert GenerationChange.objects.count() > before
        apply(config)

    zone = "Europe/Rome"
    differs(f"organization acme: zone is {zone}", "organization", "zone", zone)
    differs(
        "policy support: version 2 published",
        *("policies", 0, "document", {"version": "1", "default": "allow"}),
    )
    differs("grant support-bot: tags changed", "grants", 0, "tags", [])
    bob = "bob@example.com"
    differs("grant support-bot: member changed", "grants", 0, "member", bob)
    differs(
        "server payments: headers changed",
        *("servers", 0, "headers", {"X-Api-Key": "other"}),
    )
    config["members"].append({"email": bob, "role": "viewer"})
    differs(
        "member bob@example.com: admin instead of viewer",
        *("members", 1, "role", "admin"),
    )


def test_a_changed_tool_list_is_a_change(config, apply, upstream):
    apply(config)
    upstream.tools = [*upstream.tools[:1], tool("third"), tool("fourth")]
    said = apply(config).json["changes"]
    assert said == ["tools of payments: 2 new, 1 changed"]
    assert apply(config).json["changes"] == []


def test_revoked_ends_a_grant_for_good(config, apply):
    apply(config)
    config["grants"][0]["revoked"] = True
    assert apply(config).json["changes"] == ["grant support-bot: revoked"]
    assert only(Grant).revoked_at is not None
    assert apply(config).json["changes"] == []
    config["grants"][0]["revoked"] = False
    refused = apply(config)
    assert refused.status == 1
    assert "/grants/0" in refused.said
    assert "for good" in refused.said


def test_a_revoked_grant_that_never_was_needs_nothing(config, apply):
    config["grants"] = [{"label": "gone", "revoked": True}]
    done = apply(config)
    assert (done.status, done.json["grants"]) == (0, [])


def test_a_document_may_stand_in_a_file_beside(config, apply, tmp_path):
    text = '{"version": "1",\n   "default": "allow"}\n'
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "support.json").write_text(text)
    del config["policies"][0]["document"]
    config["policies"][0]["file"] = "sub/support.json"
    assert apply(config).status == 0
    assert only(Policy).current.text == text


def test_a_document_in_place_is_kept_as_it_is_written(config, apply):
    apply(config)
    assert only(Policy).current.text == '{\n  "version": "1",\n  "default": "deny"\n}'


def refusals(done):
    assert done.status == 1
    *lines, last = done.said.splitlines()
    assert last == "Nothing was changed."
    return [line.split(" ", 2) for line in lines]


@pytest.mark.parametrize(
    ("path", "value", "pointer", "said"),
    [
        (("teams",), [], "/teams", "unknown key"),
        (("organization", "slugg"), "x", "/organization/slugg", "did you mean “slug”"),
        (("grants", 0, "labels"), "x", "/grants/0/labels", "unknown key"),
        (
            ("servers", 0, "headers", "A", "file"),
            "x",
            "/servers/0/headers/A/file",
            "key",
        ),
        (("organization", "slug"), 1, "/organization/slug", "must be a string"),
        (("organization", "slug"), "a b", "/organization/slug", "valid"),
        (("organization", "zone"), "Mars/Base", "/organization/zone", "valid choice"),
        (("members", 0, "role"), "king", "/members/0/role", "owner, admin"),
        (("members", 0, "email"), "alice", "/members/0/email", "e-mail"),
        (("members", 0, "role"), "admin", "/members", "without an owner"),
        (
            ("servers", 0, "headers"),
            {"A": {"env": "NOPE"}},
            "/servers/0/headers/A",
            "NOPE",
        ),
        (("servers", 0, "headers"), {"A b": "c"}, "/servers/0/headers", "header name"),
        (
            ("servers", 0, "headers"),
            {"Host": "c"},
            "/servers/0/headers",
            "gateway itself",
        ),
        (("servers", 0, "url"), "http://169.254.169.254/", "/servers/0/url", "asked"),
        (("servers", 0, "name"), "a\u202eb", "/servers/0/name", "invisible"),
        (("policies", 0, "server"), "nope", "/policies/0/server", "no server nope"),
        (("policies", 0, "file"), "x.json", "/policies/0", "either"),
        (
            ("policies", 0, "document", "defualt"),
            "deny",
            "/policies/0/document/defualt",
            "default",
        ),
        (("grants", 0, "member"), "bob@example.com", "/grants/0/member", "no member"),
        (("grants", 0, "policy"), "nope", "/grants/0/policy", "no policy"),
        (("grants", 0, "server"), "nope", "/grants/0/server", "no server"),
        (("grants", 0, "tags"), ["a", "a"], "/grants/0/tags", "twice"),
        (("grants", 0, "label"), " x", "/grants/0/label", "spaces"),
        (("grants", 0, "revoked"), "no", "/grants/0/revoked", "true or false"),
    ],
)
def test_what_is_wrong_is_refused_at_its_place_and_nothing_changes(
    config, apply, path, value, pointer, said
):
    target = config
    for step in path[:-1]:
        if isinstance(target, dict):
            target = target.setdefault(step, {"env": "PAYMENTS_KEY"})
        else:
            target = target[step]
    target[path[-1]] = value
    before = rows()
    found = refusals(apply(config))
    assert [found[0][1]] == [pointer]
    assert said in found[0][2]
    assert rows() == before
    assert mail.outbox == []


def test_every_name_is_there_once(config, apply):
    for name in ("members", "servers", "policies", "grants"):
        config[name].append(config[name][0])
    pointers = [pointer for _, pointer, _ in refusals(apply(config))]
    assert pointers == [
        "/members/1/email",
        "/servers/1/name",
        "/policies/1/name",
        "/grants/1/label",
    ]


def test_a_place_is_line_and_column_of_the_file(apply, db, valkey):
    text = '{\n  "organization": {"slug": "acme"},\n  "tems": []\n}'
    assert refusals(apply(text)) == [["3:3", "/tems", "unknown key 'tems'"]]
    text = '{\n  "organization": {"slug": "a", "slug": "b"}\n}'
    [(place, pointer, said)] = refusals(apply(text))
    assert (place, pointer) == ("2:33", "/organization/slug")
    assert "duplicate" in said
    [(place, _, _)] = refusals(apply('{"organization":\n'))
    assert place == "2:1"
    text = '{"organization": {"slug": "acme"}, "a\\nb": 1}'
    [(place, pointer, _)] = refusals(apply(text))
    assert (place, pointer) == ("1:36", r"/a\nb")


def test_a_failing_test_of_a_document_fails_the_run(config, apply):
    document = config["policies"][0]["document"]
    document["tests"] = [{"name": "reads", "tool": "read_file", "expect": "allow"}]
    before = rows()
    [(_, pointer, said)] = refusals(apply(config))
    assert pointer == "/policies/0/document"
    assert "reads" in said
    assert rows() == before


def test_an_unreachable_server_fails_the_run_unless_it_is_known(
    config, apply, upstream
):
    url = config["servers"][0]["url"]
    config["servers"][0]["url"] = "http://127.0.0.1:9/mcp"
    before = rows()
    assert refusals(apply(config))[0][1] == "/servers/0/url"
    assert rows() == before
    config["servers"][0]["url"] = url
    apply(config)
    upstream.tools = None
    config["grants"][0]["tags"] = ["late"]
    done = apply(config)
    assert done.json["changes"] == ["grant support-bot: tags changed"]
    assert "payments" in done.said
    config["servers"][0]["url"] = "http://127.0.0.1:9/mcp"
    assert refusals(apply(config))[0][1] == "/servers/0/url"


def test_the_headers_of_the_file_are_what_the_server_is_asked_with(
    config, apply, upstream
):
    upstream.required = {"x-api-key": "k3y"}
    assert apply(config).status == 0
    del config["servers"][0]["headers"]
    upstream.tools = [tool("another")]
    assert apply(config).json["changes"] == ["tools of payments: 1 new, 2 changed"]
    config["servers"][0]["headers"] = {}
    assert "credentials" in apply(config).said


def test_a_policy_or_grant_stays_with_its_server(config, apply, upstream):
    apply(config)
    crm = config["servers"][0] | {"name": "crm"}
    config["servers"].append(crm)
    apply(config)
    moved = copy.deepcopy(config)
    moved["policies"][0]["server"] = "crm"
    assert refusals(apply(moved))[0][1] == "/policies/0/server"
    config["grants"][0]["server"] = "crm"
    assert refusals(apply(config))[0][1] == "/grants/0/server"


def test_names_of_another_organization_are_not_found(config, apply, charlie):
    Server.objects.create(organization=charlie.organization, name="theirs", url="x")
    config["policies"][0]["server"] = "theirs"
    assert refusals(apply(config))[0][1] == "/policies/0/server"
    config["policies"][0]["server"] = "payments"
    config["grants"][0]["member"] = "charlie@example.com"
    assert refusals(apply(config))[0][1] == "/grants/0/member"


def test_a_draft_that_somebody_edits_survives(config, apply):
    apply(config)
    policy = only(Policy)
    publishing.save_draft(policy, "{ half", None, policy.draft_revision)
    config["policies"][0]["document"]["default"] = "allow"
    apply(config)
    policy.refresh_from_db()
    assert policy.draft == "{ half"
    assert policy.current.number == 2


def test_a_comment_of_the_file_being_reformatted_is_no_change(config, apply):
    apply(config)
    config["policies"][0]["document"] = {"default": "deny", "version": "1"}
    assert apply(config).json["changes"] == []


def test_it_returns_when_the_change_is_in_force(config, apply, valkey):
    apply(config)
    acme = Organization.objects.get()
    assert generation.in_force(acme)
    assert GenerationChange.objects.filter(applied_at=None).count() == 0


def test_what_is_not_in_force_in_time_is_a_failure_of_its_own(
    config, apply, monkeypatch
):
    apply(config)

    def down(organization):
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(generation, "_set_anew", down)
    monkeypatch.setattr(applying, "PAUSE", 0.01)
    monkeypatch.setattr(applying.wait_in_force, "__defaults__", (0.05,))
    config["grants"][0]["tags"] = []
    done = apply(config)
    assert done.status == 3
    assert "stored, but not yet in force" in done.said
    assert only(Grant).tags == []
    # The next run has nothing to change, and waits for the same thing.
    assert apply(config).status == 3


def test_an_invited_persons_address_counts_as_verified(config, apply):
    apply(config)
    assert EmailAddress.objects.get(email="alice@example.com").verified


def test_headers_left_behind_by_a_move_are_told(config, apply):
    apply(config)
    moved = copy.deepcopy(config)
    server = moved["servers"][0]
    server["url"] = server["url"].replace("127.0.0.1", "localhost")
    del server["headers"]

    assert (
        "server payments: headers dropped, another host" in apply(moved).json["changes"]
    )
    assert refreshing.headers_of(only(Server)) == {}


ASKS = {"tools": {"read_file": {"action": "require_approval"}}}


def test_a_rule_that_nobody_but_the_requester_can_decide_changes_nothing(config, apply):
    """As in the pages: at publishing, for the grants that are there."""
    apply(config)
    config["organization"]["name"] = "Acme Two"
    config["policies"][0]["document"] |= ASKS
    before = rows()

    [(_, pointer, said)] = refusals(apply(config))

    assert pointer == "/policies/0/document"
    assert "/tools/read_file/action asks about calls of the grant “support-bot”" in said
    assert "invite somebody, or set self_approval" in said
    assert rows() == before


def test_nor_does_a_grant_under_such_a_rule(config, apply):
    config["policies"][0]["document"] |= ASKS
    before = rows()

    [(_, pointer, said)] = refusals(apply(config))

    assert pointer == "/grants/0/policy"
    assert "nobody but alice@example.com can decide" in said
    assert rows() == before


def test_somebody_invited_in_the_same_file_can_decide(config, apply):
    config["policies"][0]["document"] |= ASKS
    config["members"].append({"email": "anna@example.com", "role": "approver"})

    assert apply(config).status == 0


def test_a_role_without_which_nobody_can_decide_is_noted(config, apply):
    config["policies"][0]["document"] |= ASKS
    anna = {"email": "anna@example.com", "role": "approver"}
    config["members"].append(anna)
    assert "nobody can decide" not in apply(config).said

    anna["role"] = "viewer"
    done = apply(config)

    assert done.status == 0
    said = "policy support: nobody can decide /tools/read_file/action any more"
    assert f"{said} for the grant support-bot" in done.said
    assert "nobody can decide" not in apply(config).said
