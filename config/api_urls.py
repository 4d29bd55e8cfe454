"""The REST API. What is no address of it is told so in JSON too."""

from django.urls import include, path, re_path

from accounts import api_schema, api_views, problems
from approvals import api

app_name = "api"

v1 = [
    path("me", api_views.Me.as_view(), name="me"),
    path("approvals", api.Approvals.as_view(), name="approvals"),
    path("approvals/<uuid:approval_id>", api.OneApproval.as_view(), name="approval"),
    path("approvals/<uuid:approval_id>/decision", api.Decide.as_view(), name="decide"),
    path("openapi.json", api_schema.openapi, name="openapi"),
    path("problems", api_views.list_problems, name="problems"),
]

urlpatterns = [
    path("v1/", include(v1)),
    path("catalog/", include("catalog.public_api_urls")),
    re_path(r"^(?P<path>.*)$", problems.unknown, name="unknown"),
]
