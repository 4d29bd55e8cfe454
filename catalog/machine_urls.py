"""Addresses of the catalogue for machines; `/api/catalog/` is in public_api_urls.

They stand before those of pages: a server's slug holds no dot, and none is `changes`.
"""

from django.urls import path

from catalog import badges, feeds, llms, markdown_pages, robots, sitemaps

urlpatterns = [
    path("robots.txt", robots.robots, name="robots"),
    path("llms.txt", llms.llms, name="llms"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemaps/pages.xml", sitemaps.pages, name="sitemap_pages"),
    path(
        "sitemaps/servers-<int:server_part>.xml",
        sitemaps.server_pages,
        name="sitemap_servers",
    ),
    path(
        "sitemaps/tools-<int:tool_part>.xml", sitemaps.tool_pages, name="sitemap_tools"
    ),
    path("tools.md", markdown_pages.list_tools, name="list_md"),
    path("tools/changes.atom", feeds.feed, name="feed"),
    path("tools/<slug:server>.md", markdown_pages.server, name="server_md"),
    path("tools/<slug:server>/<slug:tool>.md", markdown_pages.tool, name="tool_md"),
    path("risk.md", markdown_pages.risk, name="risk_md"),
    path("attacks.md", markdown_pages.attacks, name="attacks_md"),
    path("attacks/<slug:slug>.md", markdown_pages.attack, name="attack_md"),
    path("tools/<slug:server>/badge.svg", badges.badge, name="badge"),
    path("tools/<slug:server>/changes.atom", feeds.server_feed, name="server_feed"),
]
