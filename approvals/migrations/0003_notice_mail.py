from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0002_same_tenant"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="mail",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                fields=["organization", "user", "-created_at"],
                name="approvals_notice_person",
            ),
        ),
    ]
