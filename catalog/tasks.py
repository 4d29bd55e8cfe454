"""What the workers do for the public pages. Each may run many times, side by side."""

from __future__ import annotations

from celery import shared_task

from catalog import contact_mail, sitemaps
from catalog.config_scan import keeping


@shared_task(name=contact_mail.TASK)  # type: ignore[untyped-decorator]
def mail_messages() -> None:
    contact_mail.mail_waiting()


@shared_task(name="catalog.forget_reports")  # type: ignore[untyped-decorator]
def forget_reports() -> None:
    keeping.forget_expired()


@shared_task(name="catalog.renew_sitemap")  # type: ignore[untyped-decorator]
def renew_sitemap() -> None:
    sitemaps.renew()
