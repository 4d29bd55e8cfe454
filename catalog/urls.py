"""The public catalogue. Pages of one server and tool come last: they take any word."""

from django.urls import path

from catalog import listing

app_name = "catalog"

urlpatterns = [
    path("tools/", listing.list_tools, name="list"),
]
