from django.db import migrations

from accounts.tenancy import CompositeForeignKey


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0001_initial"),
        ("accounts", "0002_approvals"),
        ("policies", "0004_approvals"),
        ("servers", "0003_approvals"),
    ]

    operations = [
        CompositeForeignKey("approvals_approval", "grant_id", "policies_grant"),
        CompositeForeignKey("approvals_approval", "server_id", "servers_server"),
        CompositeForeignKey(
            "approvals_approval", "requester_id", "accounts_membership"
        ),
        CompositeForeignKey("approvals_approval", "policy_id", "policies_policy"),
        CompositeForeignKey("approvals_vote", "approval_id", "approvals_approval"),
        CompositeForeignKey("approvals_waiver", "approval_id", "approvals_approval"),
        CompositeForeignKey("approvals_waiver", "grant_id", "policies_grant"),
        CompositeForeignKey("approvals_breakglass", "grant_id", "policies_grant"),
        CompositeForeignKey("approvals_delegation", "giver_id", "accounts_membership"),
        CompositeForeignKey("approvals_delegation", "to_id", "accounts_membership"),
        CompositeForeignKey("approvals_notice", "approval_id", "approvals_approval"),
        CompositeForeignKey("approvals_notice", "opening_id", "approvals_breakglass"),
        CompositeForeignKey("approvals_delivery", "hook_id", "approvals_hook"),
        CompositeForeignKey("approvals_delivery", "approval_id", "approvals_approval"),
        CompositeForeignKey(
            "approvals_delivery", "resent_from_id", "approvals_delivery"
        ),
        CompositeForeignKey("approvals_task", "approval_id", "approvals_approval"),
        CompositeForeignKey("approvals_task", "grant_id", "policies_grant"),
    ]
