from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_approvals")]

    operations = [
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                fields=["organization_id", "grant_id", "-time"],
                name="audit_record_of_grant",
            ),
        ),
    ]
