from django.db import migrations

from accounts.tenancy import CompositeForeignKey


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial"), ("servers", "0002_same_tenant")]

    operations = [
        CompositeForeignKey("policies_policy", "server_id", "servers_server"),
        CompositeForeignKey("policies_policy", "current_id", "policies_policyversion"),
        CompositeForeignKey("policies_policyversion", "policy_id", "policies_policy"),
        CompositeForeignKey("policies_grant", "membership_id", "accounts_membership"),
        CompositeForeignKey("policies_grant", "server_id", "servers_server"),
        CompositeForeignKey("policies_grant", "policy_id", "policies_policy"),
    ]
