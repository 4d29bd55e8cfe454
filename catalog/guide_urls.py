"""Pages that explain, compare, scan and take messages; in `urls.py`'s namespace."""

from django.urls import path

from catalog import (
    attack_pages,
    compare_pages,
    contact_pages,
    markdown_pages,
    risk_pages,
)
from catalog.config_scan import pages as config_scan
from catalog.twins import page

risk = page(risk_pages.show_risk, markdown_pages.risk)
attacks = page(attack_pages.show_attacks, markdown_pages.attacks)
attack = page(attack_pages.show_attack, markdown_pages.attack)

urlpatterns = [
    path("risk/", risk, name="risk"),
    path("attacks/", attacks, name="attacks"),
    path("attacks/<slug:slug>/", attack, name="attack"),
    path("compare/", compare_pages.show_comparison, name="compare"),
    path("scan/", config_scan.scan, name="scan"),
    path("scan/<str:kept_key>/", config_scan.kept, name="kept"),
    path("contact/", contact_pages.contact, name="contact"),
]
