"""The schema: complete, and changed only on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from example_app.application import create_application
from tests.example_app.conftest import MakeSettings, serving

SNAPSHOT = Path(__file__).with_name("openapi_snapshot.json")


@pytest.fixture
def schema(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_snapshot(schema: dict[str, Any]) -> None:
    """To accept a change, write what this prints into the file."""
    found = [
        " ".join(
            [
                method,
                path,
                operation["operationId"],
                *operation["tags"],
                *sorted(operation["responses"]),
            ]
        )
        for method, path, operation in operations(schema)
    ]
    assert found == json.loads(SNAPSHOT.read_text()), json.dumps(found, indent=2)


def test_every_operation_is_described(schema: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in schema["tags"]}
    seen = set()
    for method, path, operation in operations(schema):
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags, path
        assert operation["operationId"] not in seen, path
        seen.add(operation["operationId"])
        errors = {code for code in operation["responses"] if code >= "400"}
        assert {"400", "413", "422", "500", "503"} <= errors, (method, path)
        for code in errors:
            content = operation["responses"][code]["content"]["application/json"]
            assert content["schema"]["$ref"].endswith("/ErrorResponse"), (path, code)


def test_every_field_is_described(schema: dict[str, Any]) -> None:
    for name, model in schema["components"]["schemas"].items():
        for field, details in model.get("properties", {}).items():
            assert "description" in details, f"{name}.{field}"


def test_every_json_body_has_an_example(schema: dict[str, Any]) -> None:
    for _, path, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {})
        body = content.get("application/json")
        if body is None:
            continue
        name = body["schema"]["$ref"].rpartition("/")[2]
        assert schema["components"]["schemas"][name]["examples"], path


def test_bounds_reach_the_schema(schema: dict[str, Any]) -> None:
    models = schema["components"]["schemas"]
    price = models["ItemCreate"]["properties"]["price_cents"]
    assert (price["minimum"], price["maximum"]) == (0, 1_000_000_000)
    for name in ("ItemListRequest", "FileListRequest"):
        limit = models[name]["properties"]["limit"]
        assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 20)


def test_metadata(schema: dict[str, Any]) -> None:
    info = schema["info"]
    assert info["title"]
    assert info["version"]
    assert info["description"]
    assert info["contact"]["email"]
    assert info["license"]["name"] == "MIT"
    schemes = schema["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"oauth2", "http", "apiKey"}


@pytest.mark.anyio
async def test_served_in_debug_mode_only(make_settings: MakeSettings) -> None:
    found: list[tuple[bool, int, int]] = []
    for debug in (True, False):
        async with serving(create_application(make_settings(debug=debug))) as client:
            responses: list[httpx.Response] = [
                await client.get("/docs"),
                await client.get("/openapi.json"),
            ]
        found.append((debug, responses[0].status_code, responses[1].status_code))
    assert found == [(True, 200, 200), (False, 404, 404)]
