from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_search_by_words")]

    operations = [
        migrations.AddIndex(
            model_name="catalogserver",
            index=models.Index(
                fields=["id"],
                name="catalog_server_deleted",
                condition=models.Q(("status", "deleted")),
            ),
        ),
        migrations.AddIndex(
            model_name="catalogserver",
            index=models.Index(
                fields=["-tools_listed", "slug"],
                name="catalog_server_order",
            ),
        ),
    ]
