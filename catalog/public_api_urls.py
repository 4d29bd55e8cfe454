"""The catalogue's read API, below /api/catalog/."""

from django.urls import path

from catalog import public_api_registry as registry
from catalog import public_api_schema as schema
from catalog import public_api_views as views

app_name = "catalog"

urlpatterns = [
    path("v1/servers", views.servers, name="servers"),
    path("v1/servers/<slug:server>", views.server, name="server"),
    path("v1/servers/<slug:server>/policy", views.policy, name="policy"),
    path("v1/servers/<slug:server>/tools", views.server_tools, name="server_tools"),
    path("v1/servers/<slug:server>/tools/<slug:tool>", views.tool, name="tool"),
    path("v1/tools", views.tools, name="tools"),
    path("v1/changes", views.changes, name="changes"),
    path("v1/rubric", views.rubric, name="rubric"),
    path("v1/openapi.json", schema.openapi, name="openapi"),
    path("v0.1/servers", registry.servers, name="registry_servers"),
    path(
        "v0.1/servers/<str:namespace>/<str:server>/versions",
        registry.versions,
        name="registry_versions",
    ),
    path(
        "v0.1/servers/<str:namespace>/<str:server>/versions/<str:version>",
        registry.version,
        name="registry_version",
    ),
]
