"""All pages. `/mcp/` never arrives here: config/asgi.py sends it to the gateway."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from config.home import home


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("", include("accounts.urls")),
    path("servers/", include("servers.urls")),
    path("", include("policies.urls")),
    path("activity/", include("audit.urls")),
    path("api/", include("config.api_urls")),
    path("", include("approvals.urls")),
    path("", include("catalog.urls")),
]
