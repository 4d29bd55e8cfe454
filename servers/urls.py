from django.urls import path

from servers import tool_views, verdict_views, views

app_name = "servers"
urlpatterns = [
    path("", views.list_servers, name="list"),
    path("add/", views.add, name="add"),
    path("add/sandbox/", views.add_sandbox, name="add_sandbox"),
    path("<str:public_id>/", views.detail, name="detail"),
    path("<str:public_id>/check/", views.check, name="check"),
    path("<str:public_id>/edit/", views.edit, name="edit"),
    path("<str:public_id>/delete/", views.delete, name="delete"),
    path("<str:public_id>/verdicts/", verdict_views.new_verdicts, name="new_verdicts"),
    path(
        "<str:public_id>/verdicts/accept/",
        verdict_views.accept_verdicts,
        name="accept_verdicts",
    ),
    path("<str:public_id>/tools/<uuid:tool_id>/", tool_views.tool, name="tool"),
    path(
        "<str:public_id>/tools/<uuid:tool_id>/verdict/",
        tool_views.set_verdict,
        name="verdict",
    ),
    path(
        "<str:public_id>/tools/<uuid:tool_id>/verdict/accept/",
        tool_views.accept_verdict,
        name="accept_verdict",
    ),
    path(
        "<str:public_id>/tools/<uuid:tool_id>/accept/",
        tool_views.accept,
        name="accept",
    ),
]
