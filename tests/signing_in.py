"""Somebody signed in, by one row: Django's `force_login` asks for eight."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.crypto import get_random_string

from accounts.models import User


def begun(user: User, **more: Any) -> str:
    """The key of a new session of this person, which holds `more`."""
    session = SessionStore()
    held = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    row = Session.objects.create(
        session_key=get_random_string(32, VALID_KEY_CHARS),
        session_data=session.encode(held | more),
        expire_date=session.get_expiry_date(),
    )
    return row.session_key


def client_of(user: User, **more: Any) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = begun(user, **more)
    return client
