from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


def test_smoke(sign_in, bob, payments, support):
    client = sign_in(bob)
    for url in (
        "/policies/",
        "/policies/new/",
        f"/policies/{support.pk}/",
        f"/policies/{support.pk}/publish/",
        f"/policies/{support.pk}/versions/",
        "/grants/",
        "/grants/new/",
    ):
        answer = client.get(url)
        assert answer.status_code == 200, url
