"""Pages of people and organizations.

allauth's own patterns carry no namespace; of them only the pages that we use exist.
E-mail addresses do not change for now: they decide calls (`user.email`).
"""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, include, path, re_path

from accounts import (
    invitation_views,
    mailbox_views,
    member_views,
    settings_views,
    token_views,
    views,
)

account = [
    path("login/", allauth.login, name="account_login"),
    path("logout/", allauth.logout, name="account_logout"),
    path("signup/", allauth.signup, name="account_signup"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path(
        "confirm-email/",
        allauth.email_verification_sent,
        name="account_email_verification_sent",
    ),
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$",
        allauth.confirm_email,
        name="account_confirm_email",
    ),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/set/", allauth.password_set, name="account_set_password"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path(
        "password/reset/done/",
        allauth.password_reset_done,
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

member_pages = [
    path("", member_views.list_members, name="members"),
    path("invite/", invitation_views.invite, name="invite"),
    path("leave/", member_views.leave, name="leave"),
    path("<uuid:membership_id>/role/", member_views.change_role, name="change_role"),
    path(
        "<uuid:membership_id>/remove/",
        member_views.remove_member,
        name="remove_member",
    ),
    path(
        "invitations/<uuid:invitation_id>/resend/",
        invitation_views.resend,
        name="resend_invitation",
    ),
    path(
        "invitations/<uuid:invitation_id>/withdraw/",
        invitation_views.withdraw,
        name="withdraw_invitation",
    ),
]

pages: list[URLPattern | URLResolver] = [
    path(
        "organizations/new/",
        views.create_organization,
        name="create_organization",
    ),
    path(
        "organizations/switch/",
        views.switch_organization,
        name="switch_organization",
    ),
    path("mailbox/<str:secret>/", mailbox_views.mails, name="mailbox"),
    path("mailbox/<str:secret>/<str:name>/", mailbox_views.mail, name="mail"),
    path(
        "mailbox/<str:secret>/<str:name>/html/",
        mailbox_views.mail_html,
        name="mail_html",
    ),
    path("theme/", views.set_theme, name="set_theme"),
    path("invitations/<str:token>/", invitation_views.invitation, name="invitation"),
    path("settings/", settings_views.settings, name="settings"),
    path("settings/members/", include(member_pages)),
    path("settings/tokens/", token_views.list_tokens, name="tokens"),
    path("settings/tokens/new/", token_views.mint, name="mint_token"),
    path(
        "settings/tokens/<uuid:token_id>/revoke/",
        token_views.revoke,
        name="revoke_token",
    ),
]

urlpatterns = [
    path("account/", include(account)),
    path("", include((pages, "accounts"))),
]
