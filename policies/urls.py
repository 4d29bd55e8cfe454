from django.urls import include, path

from policies import grant_views, version_views, views

policies = [
    path("", views.list_policies, name="list"),
    path("new/", views.create, name="create"),
    path("<uuid:policy_id>/", views.detail, name="detail"),
    path("<uuid:policy_id>/draft/", views.save, name="save"),
    path("<uuid:policy_id>/draft/review/", views.save_and_review, name="review"),
    path("<uuid:policy_id>/draft/check/", views.check, name="check"),
    path("<uuid:policy_id>/draft/choose/", views.choose, name="choose"),
    path("<uuid:policy_id>/draft/allow/", views.default_allow, name="default_allow"),
    path("<uuid:policy_id>/publish/", version_views.publish, name="publish"),
    path("<uuid:policy_id>/versions/", version_views.versions, name="versions"),
    path(
        "<uuid:policy_id>/versions/<int:number>/",
        version_views.version,
        name="version",
    ),
    path(
        "<uuid:policy_id>/versions/<int:number>/restore/",
        version_views.restore,
        name="restore",
    ),
]
grants = [
    path("", grant_views.list_grants, name="list"),
    path("new/", grant_views.mint, name="mint"),
    path("<uuid:grant_id>/", grant_views.detail, name="detail"),
    path("<uuid:grant_id>/edit/", grant_views.edit, name="edit"),
    path("<uuid:grant_id>/revoke/", grant_views.revoke, name="revoke"),
    path("<uuid:grant_id>/connect/", grant_views.connect, name="connect"),
]

urlpatterns = [
    path("policies/", include((policies, "policies"))),
    path("grants/", include((grants, "grants"))),
]
