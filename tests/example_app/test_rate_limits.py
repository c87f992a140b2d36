"""Log-ins, tokens and registrations are limited per client."""

from __future__ import annotations

import httpx
import pytest

from example_app.application import create_application
from example_app.core.rate_limit import RateLimiter
from tests.example_app.conftest import MakeSettings, serving
from tests.example_app.factories import user_body

pytestmark = pytest.mark.anyio


def assert_limited(response: httpx.Response) -> None:
    assert response.status_code == 429
    assert response.json()["code"] == "rate_limited"
    assert 1 <= int(response.headers["retry-after"]) <= 60


async def test_limits(make_settings: MakeSettings) -> None:
    settings = make_settings(limits={"login": "2/minute", "registration": "1/minute"})
    form = {"username": "admin", "password": "wrong"}
    async with serving(create_application(settings)) as client:
        for _ in range(2):
            assert (await client.post("/api/v1/auth/token", data=form)).status_code == 401
        assert_limited(await client.post("/api/v1/auth/token", data=form))
        token = {"refresh_token": "x"}
        assert_limited(await client.post("/api/v1/auth/refresh", json=token))
        assert_limited(await client.post("/api/v1/auth/logout", json=token))
        assert_limited(await client.post("/api/rpc/session/login", auth=("a", "b"), json={}))
        body = {"current_password": "x", "new_password": "yyyyyyyyyyyy"}
        limited = await client.put("/api/v1/users/me/password", json=body)
        assert limited.status_code in {401, 429}

        created = await client.post("/api/v1/auth/register", json=user_body())
        assert created.status_code == 201
        assert_limited(await client.post("/api/v1/auth/register", json=user_body()))
        assert (await client.get("/health")).status_code == 200


def test_the_storage_must_be_async() -> None:
    with pytest.raises(TypeError, match="async"):
        RateLimiter("memory://", {})
