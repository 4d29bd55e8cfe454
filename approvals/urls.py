"""Pages of approvals, and of what stops or opens calls in an emergency."""

from django.urls import include, path

from approvals import emergency_urls

app_name = "approvals"
urlpatterns = [
    path("settings/emergency/", include(emergency_urls.urlpatterns)),
]
