"""What crawlers may read: the public pages, not the app, its API or search results.

RFC 9309: the longest rule that matches decides; `*` is anything, `$` the end. Filters
may be followed, as their pages say `noindex` themselves; a search has no end.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog.public import absolute, public

CLOSED = (
    *("/account/", "/activity/", "/api/", "/approvals/", "/grants/", "/invitations/"),
    *("/mailbox/", "/mcp/", "/organizations/", "/policies/", "/servers/"),
    *("/settings/", "/theme/"),
    *("/tools/*/use/", "/tools/*/dispute/", "/tools/?q=", "/tools/?*&q="),
    *("/compare/?", "/contact/?", "/scan/"),
)
OPEN = ("/api/catalog/", "/scan/$")


@public
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(text(), content_type="text/plain; charset=utf-8")


def text() -> str:
    rules = [f"Disallow: {path}" for path in CLOSED]
    rules += [f"Allow: {path}" for path in OPEN]
    sitemap = f"Sitemap: {absolute(reverse('catalog:sitemap'))}"
    return "\n".join(["User-agent: *", *rules, "", sitemap, ""])
