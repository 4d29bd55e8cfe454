"""What the catalogue keeps of servers, their tools and what people say of them.

Public facts, so these tables belong to no organization. All text in them came from
servers or from strangers.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from accounts.models import User
from accounts.tenancy import TenantModel
from catalog import vectors
from servers.models import Category, Severity


class Source(models.TextChoices):
    PYPI = "pypi", "Python package"
    NPM = "npm", "npm package"
    URL = "url", "Streamable HTTP"


class Status(models.TextChoices):
    ACTIVE = "active", "Active"
    DEPRECATED = "deprecated", "Deprecated"
    DELETED = "deleted", "Deleted"


class CatalogServer(models.Model):
    """One server as published, not anybody's installation of it.

    `source` is the package's name or the URL. `counts` is `{category: tools}` and
    `severities` `{severity: tools}` of the tools listed now; `severity` is the worst
    of them. `shipped` came with the product and was not scanned here.
    """

    slug = models.SlugField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    publisher = models.SlugField(max_length=200, db_index=True)
    publisher_name = models.CharField(max_length=200)
    source_kind = models.CharField(max_length=10, choices=Source.choices)
    source = models.CharField(max_length=2000)
    registry_name = models.CharField(max_length=300, blank=True, db_index=True)
    status = models.CharField(
        max_length=12, choices=Status.choices, default=Status.ACTIVE
    )
    version = models.CharField(max_length=255, blank=True)
    tools_listed = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    severities = models.JSONField(default=dict, blank=True)
    severity = models.CharField(
        max_length=10, choices=Severity.choices, default=Severity.LOW
    )
    scanned_at = models.DateTimeField(null=True, blank=True)
    scan_error = models.TextField(blank=True)
    shipped = models.BooleanField(default=False)
    search = models.GeneratedField(  # type: ignore[misc, unused-ignore]
        expression=vectors.vector(vectors.SERVER),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            GinIndex(fields=["search"], name="catalog_server_search"),
            models.Index(
                fields=["id"],
                name="catalog_server_deleted",
                condition=models.Q(status="deleted"),
            ),
            models.Index(fields=["-tools_listed", "slug"], name="catalog_server_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source_kind", "source"], name="catalog_server_source"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Scan(models.Model):
    """One time that a server was asked. `environment` says how, in words."""

    server = models.ForeignKey(CatalogServer, models.CASCADE, related_name="scans")
    version = models.CharField(max_length=255, blank=True)
    transport = models.CharField(max_length=20)
    revision = models.CharField(max_length=20, blank=True)
    identity = models.JSONField(default=dict, blank=True)
    tools = models.PositiveIntegerField(default=0)
    prompts = models.PositiveIntegerField(default=0)
    resources = models.PositiveIntegerField(default=0)
    environment = models.CharField(max_length=300, blank=True)
    problems = models.JSONField(default=list, blank=True)
    scanned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["server", "-scanned_at"])]

    def __str__(self) -> str:
        return f"{self.server_id} {self.version} {self.scanned_at:%Y-%m-%d}"


# What is counted without words: see searching.FILTERED.
COUNTED_BY = (
    ("category", "severity"),
    ("severity",),
    ("publisher", "category", "severity"),
)


class CatalogTool(models.Model):
    """One tool as its server listed it last.

    `facts` is what the classifier reads (`catalog.classifier.facts`), `verdict` what it
    says of them (`catalog.classifier.verdicts`). `definition` is the whole definition
    as RFC 8785 text where it was scanned here; what ships has the facts alone.
    `words` is what the search finds it by (`catalog.naming.words_of`). `publisher`
    repeats the server's.
    """

    server = models.ForeignKey(CatalogServer, models.CASCADE, related_name="listing")
    slug = models.SlugField(max_length=200)
    name = models.CharField(max_length=1000)
    facts = models.JSONField(default=dict)
    definition = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=64, db_index=True)
    category = models.CharField(max_length=20, choices=Category.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    confidence = models.FloatField(default=0)
    verdict = models.JSONField(default=dict)
    classifier = models.CharField(max_length=20)
    publisher = models.SlugField(max_length=200)
    words = models.TextField(blank=True)
    search = models.GeneratedField(  # type: ignore[misc, unused-ignore]
        expression=vectors.vector(vectors.TOOL),
        output_field=SearchVectorField(null=True),
        db_persist=True,
    )
    listed = models.BooleanField(default=True)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server", "slug"], name="catalog_tool_slug"
            ),
            models.UniqueConstraint(
                fields=["server", "name"], name="catalog_tool_name"
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="catalog_tool_search", fastupdate=False),
            *(
                models.Index(
                    fields=[*fields, "server"],
                    name=f"catalog_tool_by_{fields[0]}",
                    condition=models.Q(listed=True),
                )
                for fields in COUNTED_BY
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Word(models.Model):
    """A word that a tool or a server is found by. Triggers of both tables add to it.

    Words stay when the last tool that had them goes: that costs a look in vain. What is
    typed is looked up here first, so that beginnings of words and misspellings cost a
    look into thousands of words, not into a million tools.
    """

    word = models.CharField(max_length=64, primary_key=True)

    class Meta:
        indexes = [
            GinIndex(OpClass("word", "gin_trgm_ops"), name="catalog_word_trigram")
        ]

    def __str__(self) -> str:
        return self.word


class ChangeKind(models.TextChoices):
    ADDED = "added", "Added"
    REMOVED = "removed", "Removed"
    CHANGED = "changed", "Changed"
    VERDICT = "verdict", "New verdict"


class Change(models.Model):
    """One difference between two scans of a server, or two versions of the classifier.

    `detail` names what differs: `{"parameters": {"added": [], "removed": []},
    "category": [before, after], "severity": [before, after], "fields": [...]}`.
    """

    server = models.ForeignKey(CatalogServer, models.CASCADE, related_name="changes")
    tool = models.CharField(max_length=1000)
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    before_version = models.CharField(max_length=255, blank=True)
    after_version = models.CharField(max_length=255, blank=True)
    before = models.CharField(max_length=64, blank=True)
    after = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"]),
            models.Index(fields=["server", "-at", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.kind}"


class RegistryRecord(models.Model):
    """One server's newest version as an MCP registry (API v0.1) publishes it."""

    registry = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    version = models.CharField(max_length=255)
    status = models.CharField(max_length=12, choices=Status.choices)
    document = models.JSONField()
    published_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "name"], name="catalog_record_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class RegistrySync(models.Model):
    """How far a registry was read: everything updated before `updated_since` is in."""

    registry = models.CharField(max_length=300, unique=True)
    updated_since = models.DateTimeField(null=True, blank=True)
    cursor = models.CharField(max_length=1000, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.registry


class DisputeState(models.TextChoices):
    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"


class Dispute(TenantModel):
    """Somebody signed in says that a verdict is wrong, and why."""

    tool = models.ForeignKey(CatalogTool, models.CASCADE, related_name="disputes")
    fingerprint = models.CharField(max_length=64)
    by = models.ForeignKey(User, models.SET_NULL, null=True)
    category = models.CharField(max_length=20, choices=Category.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    reason = models.TextField()
    state = models.CharField(
        max_length=10, choices=DisputeState.choices, default=DisputeState.OPEN
    )
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["tool", "organization"],
                condition=models.Q(state="open"),
                name="catalog_dispute_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool_id}: {self.category}, {self.severity}"


class Message(models.Model):
    """What somebody wrote in the contact form. Mailed by a Celery task."""

    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField()
    text = models.TextField()
    page = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    mailed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.email} {self.created_at:%Y-%m-%d}"


class KeptReport(models.Model):
    """A graded client configuration that somebody asked to keep, without secrets.

    `key_hash` is the SHA-256 of the random key in its address; it ends `expires_at`.
    """

    key_hash = models.CharField(max_length=64, unique=True)
    servers = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"kept until {self.expires_at:%Y-%m-%d}"
