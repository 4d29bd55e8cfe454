"""A badge for a README: how many tools a server has, and the worst of them, in words.

    GET /tools/<server>/badge.svg

It has its own ground and white letters on dark colours (contrast 4.5 and more), so it
is read on light pages and dark ones. The width of words is reckoned from a table, and
`textLength` makes every font keep to it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from catalog.found import server_of
from catalog.models import CatalogServer
from catalog.plain import plural
from catalog.public import public

MEDIA_TYPE = "image/svg+xml"
LABEL = "PolicyLayer"
# Of the design's severities, dark enough for white letters.
COLOURS = {
    "low": "#4a5260",
    "medium": "#1d5fbf",
    "high": "#8f5200",
    "critical": "#b3261e",
}
GROUND = "#2b3038"
HEIGHT, PAD = 20, 8
NARROW, WIDE = set("iljtfr.,:1 "), set("mwMWPL")


@public
def badge(request: HttpRequest, server: str) -> HttpResponse:
    return HttpResponse(draw(server_of(server)), content_type=MEDIA_TYPE)


def words(server: CatalogServer) -> str:
    """`12 tools, worst: critical`."""
    if not server.tools_listed:
        return "no tools listed"
    count = plural(server.tools_listed, "tool")
    return f"{count}, worst: {server.severity}"


def draw(server: CatalogServer) -> str:
    said = words(server)
    colour = COLOURS[server.severity if server.tools_listed else "low"]
    left = width(LABEL) + 2 * PAD
    right = total_width(said) - left
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="{height}"'
        ' viewBox="0 0 {all} {height}" role="img" aria-label="{label}: {said}">'
        "<title>{label}: {said}</title>"
        '<rect width="{all}" height="{height}" rx="4" fill="{ground}"/>'
        '<path d="M{left} 0h{flat}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4h-{flat}z"'
        ' fill="{colour}"/>'
        '<g fill="#fff" font-size="11"'
        ' font-family="Verdana,Geneva,DejaVu Sans,sans-serif">'
        '<text x="{pad}" y="14" textLength="{label_width}">{label}</text>'
        '<text x="{at}" y="14" textLength="{said_width}">{said}</text>'
        "</g></svg>\n",
        all=left + right,
        height=HEIGHT,
        ground=GROUND,
        left=left,
        flat=right - 4,
        colour=colour,
        pad=PAD,
        at=left + PAD,
        label=LABEL,
        label_width=width(LABEL),
        said=said,
        said_width=width(said),
    )


def total_width(said: str) -> int:
    return width(LABEL) + width(said) + 4 * PAD


def width(said: str) -> int:
    """Of words in pixels at 11 px."""
    return round(sum(_advance(character) for character in said))


def _advance(character: str) -> float:
    if character in NARROW:
        return 4.2
    return 9.5 if character in WIDE else 6.8
