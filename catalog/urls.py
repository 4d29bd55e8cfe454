"""The public catalogue. Pages of one server and tool come last: they take any word."""

from django.urls import path

from catalog import guide_urls, listing, server_pages, tool_pages

app_name = "catalog"

urlpatterns = [
    *guide_urls.urlpatterns,
    path("tools/", listing.list_tools, name="list"),
    path("tools/<slug:server>/", server_pages.show_server, name="server"),
    path("tools/<slug:server>/<slug:tool>/", tool_pages.show_tool, name="tool"),
]
