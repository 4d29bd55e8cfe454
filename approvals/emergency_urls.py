from django.urls import path

from approvals import emergency_views as views

urlpatterns = [
    path("", views.emergency, name="emergency"),
    path(
        "stop/<str:kind>/<uuid:target_id>/",
        views.switch,
        name="switch",
    ),
    path("break-glass/<uuid:grant_id>/", views.open_tool, name="open_tool"),
    path(
        "break-glass/<uuid:opening_id>/end/", views.close_opening, name="close_opening"
    ),
]
