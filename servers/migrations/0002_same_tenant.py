from django.db import migrations

from accounts.tenancy import CompositeForeignKey


class Migration(migrations.Migration):
    dependencies = [("servers", "0001_initial")]

    operations = [
        CompositeForeignKey("servers_credential", "server_id", "servers_server"),
        CompositeForeignKey("servers_tooldefinition", "server_id", "servers_server"),
    ]
