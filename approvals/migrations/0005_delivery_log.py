from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0004_usable_until"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["hook", "-created_at", "-id"], name="approvals_delivery_log"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["created_at"], name="approvals_delivery_age"),
        ),
    ]
