import json, os
from pathlib import Path
import pytest
from datetime import timedelta
from django.utils import timezone
from accounts.models import Organization, Role
from policies import publishing, granting
from servers.models import Server, ToolDefinition
from tests.conftest import member
from tests.policies.web.conftest import tool
from tests.browser.conftest import *  # noqa
from tests.browser.test_policy_editor import TEXT
from tests.browser.test_pages import AXE, RULES, TOLD
from tests.world import HOSTILE

OUT = Path("/tmp/shots"); OUT.mkdir(exist_ok=True)
pytestmark = [pytest.mark.django_db(transaction=True)]

def build():
    acme = Organization.objects.create(slug="acme", name="Acme", shard=7)
    alice = member(acme, "alice", Role.OWNER)
    server = Server.objects.create(organization=acme, name="payments", url="http://127.0.0.1:9/mcp")
    names = ["list_charges","create_refund","get_one","delete_it","refund_all","terminate_instances"] + [f"get_thing_{n}" for n in range(194)]
    for i, n in enumerate(names):
        tool(server, n, verdict_origin="person" if i % 3 == 0 else "unset", severity=["low","medium","high","critical"][i%4], category="Write")
    tool(server, HOSTILE[:128])
    policy = publishing.create(server, "support", TEXT, alice.user)
    publishing.publish(policy, alice.user, "The first", revision=0)
    policy.refresh_from_db()
    two = TEXT.replace('"5/minute"','"7/hour"').replace('"list_charges": {}','"list_charges": {"action": "deny", "reason": "Not now"}')
    publishing.save_draft(policy, two, alice.user, policy.draft_revision)
    publishing.publish(policy, alice.user, "Refunds \u2264 500", revision=policy.draft_revision)
    policy.refresh_from_db()
    three = two.replace('"deny", "reason": "Not now"','"require_approval"').replace('["delete_*"]','["delete_*", "typo_tool"]').replace('"get_*"','"get_one*": {}, "get_*"')
    publishing.save_draft(policy, three, alice.user, policy.draft_revision)
    other = publishing.create(server, HOSTILE[:100].replace("\u202e","").replace("\u200f",""), '{"version": "1", "default": "deny", "hide": ["x"]}', None)
    bad = publishing.create(server, "broken", TEXT.replace('"default"','"defualt"').replace('"path": "args.amount", "op": "gt"', '"path": "args.amount", "op": "gtt"'), None)
    nothing = publishing.create(server, "nothing", '{"version": "1", "default": "deny", "hide": ["list_charges"]}', None)
    for n in range(8):
        g, _ = granting.mint(alice, holder=alice, server=server, policy=[policy, None, other][n%3], label=f"client-{n}", tags=["prod","eu"] if n%2 else [], expires_at=timezone.now()+timedelta(days=n+1) if n%3==0 else None)
    granting.revoke(alice, g)
    empty = Organization.objects.create(slug="e", name="Empty", shard=1)
    return alice, member(empty, "charlie", Role.OWNER), member(acme, "dora", Role.VIEWER), policy, bad, nothing, g

def test_shots(open_page):
    alice, charlie, dora, policy, bad, nothing, grant = build()
    only = os.environ.get("ONLY", "")
    g0 = granting.Grant.objects.across_organizations().get(label="client-0")
    pages = {
        "list": (alice, "/policies/"), "create": (alice, "/policies/new/"),
        "editor": (alice, f"/policies/{policy.pk}/"), "editor-pointer": (alice, f"/policies/{policy.pk}/?pointer=/tools/create_refund/deny_if/0"),
        "editor-bad": (alice, f"/policies/{bad.pk}/"), "editor-viewer": (dora, f"/policies/{policy.pk}/"),
        "review": (alice, f"/policies/{policy.pk}/publish/"), "review-nothing": (alice, f"/policies/{nothing.pk}/publish/"),
        "versions": (alice, f"/policies/{policy.pk}/versions/"), "version": (alice, f"/policies/{policy.pk}/versions/2/?pointer=/tools/create_refund/deny_if/0"),
        "grants": (alice, "/grants/"), "mint": (alice, "/grants/new/"), "grant": (alice, f"/grants/{g0.pk}/"),
        "grant-revoked": (alice, f"/grants/{grant.pk}/"), "connect": (alice, f"/grants/{g0.pk}/connect/"), "revoke": (alice, f"/grants/{g0.pk}/revoke/"),
        "empty-list": (charlie, "/policies/"), "empty-create": (charlie, "/policies/new/"), "empty-grants": (charlie, "/grants/"), "empty-mint": (charlie, "/grants/new/"),
    }
    wrong = []
    for width, theme in ((1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")):
        if os.environ.get("FEW") and (width, theme) not in ((1280, "light"), (390, "dark")): continue
        opened = {m.pk: open_page(m, width=width, theme=theme) for m in (alice, charlie, dora)}
        for name, (who, url) in pages.items():
            if only and name not in only.split(","): continue
            page = opened[who.pk]
            page.goto(url)
            page.wait_for_timeout(150)
            page.evaluate(AXE.read_text())
            found = page.evaluate(TOLD, RULES)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"): found.append("WIDE")
            if found: wrong.append((name, width, theme, found))
            page.screenshot(path=str(OUT / f"{name}-{width}-{theme}.png"), full_page=width == 390 or "editor" not in name)
    for each in wrong: print("AXE", each)
    assert not wrong
