"""Approved calls that wait to be run are looked through every two seconds."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_notice_mail")]

    operations = [
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                condition=models.Q(("state", "approved")),
                fields=["usable_until"],
                name="approvals_usable",
            ),
        ),
    ]
