"""Pages of approvals, and of what stops or opens calls in an emergency."""

from django.urls import include, path

from approvals import (
    always_views,
    decision_views,
    delegation_views,
    emergency_urls,
    inbox_views,
    views,
    waiver_views,
)

app_name = "approvals"
approvals = [
    path("", inbox_views.list_approvals, name="list"),
    path("export/", inbox_views.export_approvals, name="export"),
    path("figures/", inbox_views.show_figures, name="figures"),
    path("link/<str:signed>/", views.link, name="link"),
    path("waivers/", waiver_views.list_waivers, name="waivers"),
    path("waivers/<uuid:waiver_id>/end/", waiver_views.end_waiver, name="end_waiver"),
    path("delegations/", delegation_views.delegations, name="delegations"),
    path(
        "delegations/<uuid:delegation_id>/end/",
        delegation_views.end_delegation,
        name="end_delegation",
    ),
    path("<uuid:approval_id>/", views.detail, name="detail"),
    path("<uuid:approval_id>/act-for/", views.act_for, name="act_for"),
    path("<uuid:approval_id>/decide/", decision_views.decide, name="decide"),
    path("<uuid:approval_id>/always/", always_views.always_allow, name="always"),
    path("<uuid:approval_id>/always/save/", always_views.save_draft, name="save"),
]
urlpatterns = [
    path("settings/emergency/", include(emergency_urls.urlpatterns)),
    path("settings/webhooks/", include("approvals.hook_urls")),
    path("approvals/", include(approvals)),
]
