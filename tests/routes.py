"""Every address of the pages: who may open it, who may post to it. One line each.

test_matrix.py fails on an address that is not here, and holds each line for every
person; test_pages.py draws what is marked `page`. A line names the widest promise:

    Route("servers:edit", Role.ADMIN, post=FORM)

- `minimum`: the narrowest role that gets in. Below it: 403. A stranger: 404 where the
  address names an object of Acme. Nobody signed in: to the sign-in page.
  EVERYBODY: no sign-in needed; SIGNED_IN: whoever is signed in.
- `get`: the status of a GET for who may, None where there is only a POST.
- `post`: the statuses of a POST of `data` for who may, empty where there is only a GET.
- `api`: it answers JSON. Nobody is told 401 instead of being sent to sign in. Whoever
  may GET may by session and by token; what is posted, is by token alone.
- `by_origin`: it takes no cookie, so posts need no token, but must not come from
  another site.
- `get_differs`, `post_differs`: where it ends otherwise for one person ("nobody": who
  is not signed in).

`ARGUMENTS` says what the names in angle brackets stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from accounts.models import Role
from catalog.public_api_registry import NOWHERE
from catalog.sitemaps import SIZE
from tests.world import DOCUMENT, HOSTILE, KEPT_KEY, World

EVERYBODY = "everybody"
SIGNED_IN = "signed in"
DONE = frozenset({302})
# A form that is posted empty is shown again with its errors.
FORM = frozenset({422})
SHOWN = frozenset({200})
BAD = frozenset({400})
NOT_JSON = frozenset({415})
DRAFT = {"revision": "0", "text": DOCUMENT}
NOT_BOB = {"bob": frozenset({403})}
NO_ADMIN = dict.fromkeys(("dora", "anna", "bob"), frozenset({403}))
SECRET = "test-mailbox-secret"
NO_MAIL = "0" * 20 + "-" + "0" * 16
INSIDERS = ("dora", "anna", "bob", "adam", "alice", "charlie")


@dataclass(frozen=True)
class Route:
    name: str
    minimum: str
    get: int | None = 200
    post: frozenset[int] = frozenset()
    # A browser sends the token of the form even where nothing is filled in.
    data: Mapping[str, str] = field(
        default_factory=lambda: {"csrfmiddlewaretoken": "x"}
    )
    get_differs: Mapping[str, int] = field(default_factory=dict)
    post_differs: Mapping[str, frozenset[int]] = field(default_factory=dict)
    page: bool = True
    api: bool = False
    by_origin: bool = False


def inside(status: int) -> dict[str, int]:
    """Whoever is signed in is sent on, as from the sign-in page."""
    return dict.fromkeys(INSIDERS, status)


ROUTES = [
    Route("home", EVERYBODY),
    Route("healthz", EVERYBODY, page=False),
    # accounts
    Route(
        "account_login",
        EVERYBODY,
        post=SHOWN,
        get_differs=inside(302),
        post_differs=dict.fromkeys(INSIDERS, DONE),
    ),
    Route(
        "account_signup",
        EVERYBODY,
        post=SHOWN,
        get_differs=inside(302),
        post_differs=dict.fromkeys(INSIDERS, DONE),
    ),
    Route("account_logout", EVERYBODY, post=DONE, get_differs={"nobody": 302}),
    Route("account_inactive", EVERYBODY),
    Route("account_reauthenticate", SIGNED_IN, post=SHOWN),
    Route("account_email_verification_sent", EVERYBODY),
    Route("account_confirm_email", EVERYBODY, post=frozenset({404})),
    Route("account_change_password", SIGNED_IN, post=SHOWN),
    Route("account_set_password", SIGNED_IN, get=302, post=DONE, page=False),
    Route("account_reset_password", EVERYBODY, post=SHOWN),
    Route("account_reset_password_done", EVERYBODY),
    Route("account_reset_password_from_key", EVERYBODY, post=SHOWN),
    Route("account_reset_password_from_key_done", EVERYBODY),
    Route("accounts:create_organization", SIGNED_IN, post=FORM),
    Route("accounts:switch_organization", Role.VIEWER, get=None, post=frozenset({404})),
    Route("accounts:set_theme", EVERYBODY, get=None, post=BAD),
    Route("accounts:mailbox", EVERYBODY),
    Route("accounts:mail", EVERYBODY, get=404),
    Route("accounts:mail_html", EVERYBODY, get=404, page=False),
    Route("accounts:settings", Role.VIEWER, post=FORM, post_differs=NO_ADMIN),
    Route("accounts:members", Role.VIEWER),
    Route("accounts:invite", Role.ADMIN, post=FORM),
    # An organization keeps its last owner.
    Route(
        "accounts:leave",
        Role.VIEWER,
        post=DONE,
        post_differs=dict.fromkeys(("alice", "charlie"), frozenset({409})),
    ),
    Route("accounts:change_role", Role.ADMIN, post=FORM),
    Route("accounts:remove_member", Role.ADMIN, post=DONE),
    Route("accounts:resend_invitation", Role.ADMIN, get=None, post=DONE),
    Route("accounts:withdraw_invitation", Role.ADMIN, get=None, post=DONE),
    Route("accounts:invitation", EVERYBODY, get=404, post=frozenset({404})),
    Route("accounts:tokens", Role.VIEWER),
    Route("accounts:mint_token", Role.VIEWER, post=FORM),
    # The one of the table is alice's.
    Route(
        "accounts:revoke_token",
        Role.VIEWER,
        post=DONE,
        get_differs=dict.fromkeys(("dora", "anna", "bob"), 403),
        post_differs=NO_ADMIN,
    ),
    # servers
    Route("servers:list", Role.VIEWER),
    Route("servers:add", Role.ADMIN, post=FORM),
    Route("servers:add_sandbox", Role.ADMIN, get=None, post=DONE),
    Route("servers:detail", Role.VIEWER),
    Route("servers:check", Role.POLICY_MANAGER, get=None, post=DONE),
    Route("servers:edit", Role.ADMIN, post=FORM),
    Route("servers:delete", Role.ADMIN, post=DONE, data={"name": HOSTILE[:100]}),
    Route("servers:tool", Role.VIEWER),
    Route("servers:verdict", Role.POLICY_MANAGER, get=None, post=FORM),
    Route("servers:accept_verdict", Role.POLICY_MANAGER, get=None, post=DONE),
    Route("servers:new_verdicts", Role.VIEWER),
    Route("servers:accept_verdicts", Role.POLICY_MANAGER, get=None, post=DONE),
    Route("servers:accept", Role.POLICY_MANAGER, get=None, post=DONE),
    # policies
    Route("policies:list", Role.VIEWER),
    Route("policies:create", Role.POLICY_MANAGER, post=FORM),
    Route("policies:detail", Role.VIEWER),
    Route("policies:save", Role.POLICY_MANAGER, get=None, post=DONE, data=DRAFT),
    Route("policies:review", Role.POLICY_MANAGER, get=None, post=DONE, data=DRAFT),
    Route("policies:check", Role.POLICY_MANAGER, get=None, post=SHOWN, data=DRAFT),
    Route("policies:choose", Role.POLICY_MANAGER, get=None, post=BAD),
    Route(
        "policies:default_allow", Role.POLICY_MANAGER, get=None, post=DONE, data=DRAFT
    ),
    Route("policies:publish", Role.POLICY_MANAGER, post=DONE, data=DRAFT),
    Route("policies:versions", Role.VIEWER),
    Route("policies:version", Role.VIEWER),
    Route("policies:restore", Role.POLICY_MANAGER, get=None, post=DONE),
    # grants; the one of the table is alice's, and bob handles only his own
    Route("grants:list", Role.VIEWER),
    Route("grants:mint", Role.POLICY_MANAGER, post=FORM),
    Route("grants:detail", Role.VIEWER),
    Route(
        "grants:edit", Role.POLICY_MANAGER, get=None, post=FORM, post_differs=NOT_BOB
    ),
    Route(
        "grants:revoke",
        Role.POLICY_MANAGER,
        post=DONE,
        get_differs={"bob": 403},
        post_differs=NOT_BOB,
    ),
    Route("grants:connect", Role.VIEWER),
    # approvals; the one of the table is alice's own, and its tool is critical
    Route("approvals:list", Role.VIEWER),
    Route("approvals:export", Role.VIEWER, page=False),
    Route("approvals:figures", Role.VIEWER),
    Route("approvals:link", SIGNED_IN, get=404, page=False),
    Route("approvals:waivers", Role.VIEWER),
    Route("approvals:end_waiver", Role.APPROVER, get=None, post=DONE),
    Route("approvals:delegations", Role.VIEWER, post=FORM),
    Route(
        "approvals:end_delegation",
        Role.VIEWER,
        get=None,
        post=DONE,
        post_differs=dict.fromkeys(("bob", "anna", "dora"), frozenset({403})),
    ),
    Route("approvals:detail", Role.VIEWER),
    Route("approvals:act_for", Role.VIEWER, get=None, post=DONE),
    Route(
        "approvals:decide",
        Role.VIEWER,
        get=None,
        post=DONE,
        data={"choice": "deny", "preset": "not_now"},
        post_differs=dict.fromkeys(("alice", "dora"), frozenset({403})),
    ),
    Route("approvals:always", Role.POLICY_MANAGER, post=SHOWN),
    Route("approvals:save", Role.POLICY_MANAGER, get=None, post=FORM),
    # emergency
    Route("approvals:emergency", Role.VIEWER),
    Route("approvals:switch", Role.ADMIN, post=DONE, data={"killed": "yes"}),
    # The tests' sign-in is none by password: it is asked for first.
    Route("approvals:open_tool", Role.OWNER, get=302, post=DONE, page=False),
    Route("approvals:close_opening", Role.OWNER, get=None, post=DONE),
    # webhooks
    Route("approvals:hooks", Role.ADMIN, post=FORM),
    Route("approvals:hook", Role.ADMIN),
    Route(
        "approvals:switch_hook", Role.ADMIN, get=None, post=DONE, data={"enabled": "no"}
    ),
    Route("approvals:delete_hook", Role.ADMIN, post=DONE),
    Route("approvals:test_hook", Role.ADMIN, get=None, post=DONE),
    Route("approvals:delivery", Role.ADMIN),
    Route("approvals:resend", Role.ADMIN, get=None, post=DONE),
    # activity
    Route("activity:list", Role.VIEWER),
    Route("activity:detail", Role.VIEWER),
    # the catalogue
    Route("catalog:risk", EVERYBODY),
    Route("catalog:attacks", EVERYBODY),
    Route("catalog:attack", EVERYBODY),
    Route("catalog:compare", EVERYBODY),
    # Without a cookie there is nothing that a token could guard.
    Route("catalog:scan", EVERYBODY, post=FORM, by_origin=True),
    Route("catalog:kept", EVERYBODY, post=DONE, by_origin=True),
    Route("catalog:contact", EVERYBODY, post=FORM),
    Route("catalog:list", EVERYBODY),
    Route("catalog:server", EVERYBODY),
    Route("catalog:tool", EVERYBODY),
    Route("catalog:policy", EVERYBODY, page=False),
    Route("catalog:use", Role.POLICY_MANAGER, post=FORM),
    Route("catalog:dispute", Role.VIEWER, post=FORM),
    # of it, what machines read
    Route("catalog:robots", EVERYBODY, page=False),
    Route("catalog:llms", EVERYBODY, page=False),
    Route("catalog:sitemap", EVERYBODY, page=False),
    Route("catalog:sitemap_pages", EVERYBODY, page=False),
    Route("catalog:sitemap_servers", EVERYBODY, page=False),
    Route("catalog:sitemap_tools", EVERYBODY, page=False),
    Route("catalog:list_md", EVERYBODY, page=False),
    Route("catalog:server_md", EVERYBODY, page=False),
    Route("catalog:tool_md", EVERYBODY, page=False),
    Route("catalog:risk_md", EVERYBODY, page=False),
    Route("catalog:attacks_md", EVERYBODY, page=False),
    Route("catalog:attack_md", EVERYBODY, page=False),
    Route("catalog:feed", EVERYBODY, page=False),
    Route("catalog:server_feed", EVERYBODY, page=False),
    Route("catalog:badge", EVERYBODY, page=False),
    # the API
    Route("api:me", Role.VIEWER, page=False, api=True),
    Route("api:approvals", Role.VIEWER, page=False, api=True),
    Route("api:approval", Role.VIEWER, page=False, api=True),
    Route("api:decide", Role.APPROVER, get=None, post=NOT_JSON, api=True),
    Route("api:openapi", EVERYBODY, page=False),
    Route("api:problems", EVERYBODY),
    # the API of the catalogue
    Route("api:catalog:servers", EVERYBODY, page=False, api=True),
    Route("api:catalog:server", EVERYBODY, page=False, api=True),
    Route("api:catalog:policy", EVERYBODY, page=False, api=True),
    Route("api:catalog:server_tools", EVERYBODY, page=False, api=True),
    Route("api:catalog:tool", EVERYBODY, page=False, api=True),
    Route("api:catalog:tools", EVERYBODY, page=False, api=True),
    Route("api:catalog:changes", EVERYBODY, page=False, api=True),
    Route("api:catalog:rubric", EVERYBODY, page=False, api=True),
    Route("api:catalog:openapi", EVERYBODY, page=False, api=True),
    Route("api:catalog:registry_servers", EVERYBODY, page=False, api=True),
    Route("api:catalog:registry_versions", EVERYBODY, page=False, api=True),
    Route("api:catalog:registry_version", EVERYBODY, page=False, api=True),
    Route("api:unknown", EVERYBODY, get=404, page=False),
]

ARGUMENTS: dict[str, Callable[[World], object]] = {
    "secret": lambda world: SECRET,
    "name": lambda world: NO_MAIL,
    "key": lambda world: "no-such-key",
    "uidb36": lambda world: "0",
    "token": lambda world: "no-such-token",
    "membership_id": lambda world: world.people["bob"].pk,
    "invitation_id": lambda world: world.asked.invitation.pk,
    "token_id": lambda world: world.asked.token.pk,
    "public_id": lambda world: world.server.public_id,
    "server_id": lambda world: world.server.pk,
    "tool_id": lambda world: world.tool.pk,
    "policy_id": lambda world: world.policy.pk,
    "number": lambda world: world.version.number,
    "grant_id": lambda world: world.grant.pk,
    "kind": lambda world: "grant",
    "target_id": lambda world: world.grant.pk,
    "opening_id": lambda world: world.asked.opening.pk,
    "call_id": lambda world: world.record.id,
    "approval_id": lambda world: world.asked.approval.pk,
    "waiver_id": lambda world: world.asked.waiver.pk,
    "delegation_id": lambda world: world.asked.delegation.pk,
    "signed": lambda world: "no-such-link",
    "hook_id": lambda world: world.asked.hook.pk,
    "delivery_id": lambda world: world.asked.delivery.pk,
    "path": lambda world: "v1/nothing",
    "slug": lambda world: "tool-poisoning",
    "kept_key": lambda world: KEPT_KEY,
    "server": lambda world: world.catalog.server.slug,
    "tool": lambda world: world.catalog.slug,
    "server_part": lambda world: (world.catalog.server.pk - 1) // SIZE + 1,
    "tool_part": lambda world: (world.catalog.pk - 1) // SIZE + 1,
    "namespace": lambda world: NOWHERE,
    "version": lambda world: "latest",
}
