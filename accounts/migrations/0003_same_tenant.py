from django.db import migrations

from accounts.tenancy import CompositeForeignKey


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_approvals")]

    operations = [
        CompositeForeignKey(
            "accounts_apitoken", "membership_id", "accounts_membership"
        ),
    ]
