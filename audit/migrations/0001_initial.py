import django.utils.timezone
from django.db import migrations, models

from audit import partitions


class CreatePartitionedModel(migrations.CreateModel):
    """A model's table, partitioned by ranges of its column `time`."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE (time)"
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.sql_create_table = plain


def make_partitions(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partitions.make(cursor, partitions.ahead(partitions.today()))


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Quarantined",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("organization_id", models.UUIDField(null=True)),
                ("shard", models.SmallIntegerField()),
                ("entry", models.CharField(max_length=50)),
                ("fields", models.BinaryField()),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name_plural": "quarantined entries",
                "indexes": [
                    models.Index(
                        fields=["organization_id", "-created_at"],
                        name="audit_quarantined_own",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("shard", "entry"), name="audit_quarantined_once"
                    )
                ],
            },
        ),
        CreatePartitionedModel(
            name="Record",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "time",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("time", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("organization_id", models.UUIDField()),
                ("shard", models.SmallIntegerField(null=True)),
                ("grant_id", models.UUIDField(null=True)),
                ("grant_label", models.TextField(null=True)),
                ("server_id", models.UUIDField(null=True)),
                ("server_name", models.TextField(null=True)),
                ("member", models.TextField(null=True)),
                ("method", models.TextField(null=True)),
                ("name", models.TextField(null=True)),
                ("client", models.TextField(null=True)),
                ("era", models.TextField(null=True)),
                ("revision", models.TextField(null=True)),
                ("policy_id", models.UUIDField(null=True)),
                ("policy_version", models.IntegerField(null=True)),
                ("policy_digest", models.TextField(null=True)),
                (
                    "decision",
                    models.TextField(
                        choices=[
                            ("allow", "Allowed"),
                            ("deny", "Denied"),
                            ("hide", "Hidden"),
                            ("limit", "Limited"),
                            ("require_approval", "Waiting"),
                        ],
                        null=True,
                    ),
                ),
                ("rule", models.TextField(null=True)),
                ("reason", models.TextField(null=True)),
                ("asks", models.TextField(null=True)),
                (
                    "would_decision",
                    models.TextField(
                        choices=[
                            ("allow", "Allowed"),
                            ("deny", "Denied"),
                            ("hide", "Hidden"),
                            ("limit", "Limited"),
                            ("require_approval", "Waiting"),
                        ],
                        null=True,
                    ),
                ),
                ("would_rule", models.TextField(null=True)),
                ("would_reason", models.TextField(null=True)),
                ("limits", models.TextField(null=True)),
                ("arguments", models.TextField(null=True)),
                ("arguments_digest", models.TextField(null=True)),
                ("arguments_length", models.IntegerField(null=True)),
                ("arguments_read", models.TextField(null=True)),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("ok", "Answered"),
                            ("tool_error", "Tool error"),
                            ("error", "Error"),
                            ("not_inspected", "Answered, not inspected"),
                            ("not_sent", "Never sent"),
                            ("cancelled", "Cancelled"),
                            ("unknown", "Unknown"),
                            ("refused", "Refused"),
                        ],
                        null=True,
                    ),
                ),
                ("error_code", models.BigIntegerField(null=True)),
                ("is_error", models.BooleanField(null=True)),
                ("answer_bytes", models.BigIntegerField(null=True)),
                ("duration_ms", models.FloatField(null=True)),
                ("given_back", models.BooleanField(null=True)),
                ("detail", models.TextField(null=True)),
                (
                    "recorded_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization_id", "-time", "-id"],
                        name="audit_record_newest",
                    ),
                    models.Index(
                        condition=models.Q(("outcome", None)),
                        fields=["time"],
                        name="audit_record_open",
                    ),
                ],
            },
        ),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
    ]
