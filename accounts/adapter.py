"""What allauth asks of the project: where mail comes from, and that it is sent."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.shortcuts import render

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        named = {**context, "base_url": settings.BASE_URL}
        mail: EmailMessage = super().render_mail(template_prefix, email, named, headers)
        return mail

    def send_mail(self, template_prefix: str, email: str, context: Any) -> None:
        """A mail server that fails is told to who waits for the mail."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            log.exception("mail %s was not sent", template_prefix)
            request: HttpRequest | None = self.request
            if request is None:
                raise
            page = render(request, "503_mail.html", status=503)
            raise ImmediateHttpResponse(page) from error
