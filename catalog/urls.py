"""The public catalogue. Pages of one server and tool come last: they take any word."""

from django.urls import path

from catalog import (
    disputes_page,
    guide_urls,
    listing,
    machine_urls,
    markdown_pages,
    server_pages,
    tool_pages,
    using,
)
from catalog.twins import page

app_name = "catalog"

index = page(listing.list_tools, markdown_pages.list_tools)
server = page(server_pages.show_server, markdown_pages.server)
tool = page(tool_pages.show_tool, markdown_pages.tool)

urlpatterns = [
    *guide_urls.urlpatterns,
    *machine_urls.urlpatterns,
    path("tools/", index, name="list"),
    path("tools/<slug:server>/", server, name="server"),
    path(
        "tools/<slug:server>/policy.json", server_pages.download_policy, name="policy"
    ),
    path("tools/<slug:server>/use/", using.use, name="use"),
    path("tools/<slug:server>/<slug:tool>/", tool, name="tool"),
    path(
        "tools/<slug:server>/<slug:tool>/dispute/",
        disputes_page.dispute,
        name="dispute",
    ),
]
