"""Settings of web, gateway, recorder and workers; the environment decides.

docs/operating.md lists every variable; a test holds that page to this file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# Here, so that it is there wherever tasks are: who sends one sends it by this app.
from config import celery  # noqa: F401
from config.env import (
    broker,
    database,
    env_bool,
    env_int,
    env_list,
    env_secret,
    env_str,
    load_run_file,
    smtp,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env_str("DATA_DIR", str(BASE_DIR / ".data"))).resolve()
load_run_file(DATA_DIR)

DEBUG = env_bool("DEBUG")
PORT = env_int("PORT", 8000)
BASE_URL = env_str("BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
_base = urlsplit(BASE_URL)
SECURE = _base.scheme == "https"
LOOPBACK_ONLY = _base.hostname in {"127.0.0.1", "localhost", "::1"}

SECRET_KEY = env_secret("SECRET_KEY")
ENCRYPTION_KEYS: dict[str, Any] = json.loads(env_secret("ENCRYPTION_KEYS") or "{}")
MAILBOX_SECRET = env_secret("MAILBOX_SECRET")
if MAILBOX_SECRET and not LOOPBACK_ONLY:
    raise ImproperlyConfigured(
        "MAILBOX_SECRET opens a page with everybody's mail; it is refused unless"
        " BASE_URL is on 127.0.0.1 or localhost. Unset it and set EMAIL_URL."
    )

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or [
    _base.hostname or "",
    *(["localhost", "127.0.0.1", "[::1]"] if LOOPBACK_ONLY else []),
]
ALLOWED_ORIGINS = env_list("ALLOWED_ORIGINS") or [BASE_URL]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "accounts",
    "servers",
    "policies",
    "audit",
    "approvals",
    "catalog",
    "gateway",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "approvals.standing.standing",
            ],
        },
    }
]

DATABASE_URL = env_str("DATABASE_URL")
DATABASES: dict[str, dict[str, Any]] = (
    {
        "default": database(DATABASE_URL)
        | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    }
    if DATABASE_URL
    else {}
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env_str("REDIS_URL")
# A second instance in production: a full queue must not fill the limits' memory.
CELERY_BROKER_URL = broker(env_str("CELERY_BROKER_URL", REDIS_URL))

AUTH_USER_MODEL = "accounts.User"
# What ends with a membership, in this order (accounts/leaving.py).
MEMBERSHIP_ENDINGS = ["policies.leaving", "approvals.leaving"]
# Judges definitions (servers/classifying.py).
TOOL_CLASSIFIER = "catalog.live"
# What is made for a server that is added in the browser (servers/beginnings.py).
SERVER_BEGINNINGS = ["policies.beginnings"]
# Who answers whether new verdicts of a server wait (servers/verdicts.py).
VERDICT_KEEPERS = ["policies.keeping"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _base.scheme
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
# Only in the browser that signed up; any other comes to the sign-in page.
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Seconds for which a sign-in is fresh.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
# With TRUST_PROXY the last address of X-Forwarded-For is the one our proxy wrote.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env_bool("TRUST_PROXY") else 0
# Counts attempts to sign in for all processes; failing, it lets nobody try.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1},
    }
}
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_access.BearerToken",
        "accounts.api_access.ReadingSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api_access.MayAsk"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api_access.PerMinute"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api_access.StrictJson"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.problems.answer",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "PolicyLayer",
    "VERSION": "1",
    "DESCRIPTION": "Approvals of an organization: read them, and decide them.",
    "SERVERS": [{"url": BASE_URL}],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.api_schema.add_problems",
    ],
}
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600

EMAIL_URL = env_str("EMAIL_URL")
MAIL_STAYS_HERE = not EMAIL_URL
if EMAIL_URL:
    globals().update(smtp(EMAIL_URL))
else:
    EMAIL_BACKEND = "accounts.mailbox.FileMailbox"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = env_str(
    "DEFAULT_FROM_EMAIL", "PolicyLayer <policylayer@localhost>"
)
# Who is mailed what visitors write (catalog); empty: it is stored and mailed to nobody.
OPERATOR_EMAIL = env_str("OPERATOR_EMAIL")
# The MCP registry that beat reads hourly (catalog/registry); empty: none is asked.
CATALOG_REGISTRY_URL = env_str("CATALOG_REGISTRY_URL")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else f"session{PORT}"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else f"csrf{PORT}"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("TRUST_PROXY") else None
)
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True

ALLOW_PRIVATE_UPSTREAMS = env_bool("ALLOW_PRIVATE_UPSTREAMS")
# Ports of our own parts: no upstream connection may ever reach them.
OWN_PORTS = frozenset(int(port) for port in env_list("OWN_PORTS"))
SANDBOX_URL = env_str("SANDBOX_URL")
# Seconds that a server has for the beginning of its answer to a tool call.
UPSTREAM_CALL_SECONDS = env_int("UPSTREAM_CALL_SECONDS", 300)
if UPSTREAM_CALL_SECONDS < 1:
    raise ImproperlyConfigured("UPSTREAM_CALL_SECONDS must be at least 1")
RECORDS_DURABLE = env_bool("RECORDS_DURABLE")
# Bytes that the record stream of one shard may hold before calls are refused.
RECORDS_BOUND = env_int("RECORDS_BOUND", 256 * 1024 * 1024)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", "INFO")},
}
