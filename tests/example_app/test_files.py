"""Uploads and downloads on the REST surface."""

from __future__ import annotations

import errno
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import pytest
from sqlalchemy.exc import OperationalError

from example_app.api.openapi import MAX_UPLOAD_BODY
from example_app.config import Settings
from example_app.db.repositories.files import FileRepository
from example_app.storage.inspection import harmless_name, sniff_media_type
from tests.example_app.accounts import Account

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
LIMIT = 100_000


async def upload(
    client: httpx.AsyncClient, owner: Account, content: bytes, name: str = "file.txt"
) -> httpx.Response:
    files = {"file": (name, content, "application/x-whatever")}
    return await client.post("/api/v1/files", files=files, headers=owner.bearer)


def stored(settings: Settings) -> list[Path]:
    return list(settings.files.directory.iterdir())


async def test_life_of_a_file(
    client: httpx.AsyncClient, member: Account, settings: Settings
) -> None:
    created = await upload(client, member, PNG, "picture.png")
    assert created.status_code == 201
    file = created.json()
    assert (file["name"], file["media_type"], file["size"]) == (
        "picture.png",
        "image/png",
        len(PNG),
    )
    file_id = file["id"]
    assert (await client.get(f"/api/v1/files/{file_id}", headers=member.bearer)).json() == file
    listed = await client.get("/api/v1/files", headers=member.bearer)
    assert listed.json()["items"] == [file]

    content = await client.get(f"/api/v1/files/{file_id}/content", headers=member.bearer)
    assert content.content == PNG
    assert content.headers["content-type"] == "image/png"
    assert content.headers["content-disposition"] == 'attachment; filename="picture.png"'
    assert len(stored(settings)) == 1

    deleted = await client.delete(f"/api/v1/files/{file_id}", headers=member.bearer)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert stored(settings) == []
    gone = await client.get(f"/api/v1/files/{file_id}/content", headers=member.bearer)
    assert gone.status_code == 404


async def test_ranges(client: httpx.AsyncClient, member: Account) -> None:
    file_id = (await upload(client, member, b"0123456789")).json()["id"]

    async def part(value: str) -> httpx.Response:
        headers = {**member.bearer, "Range": value}
        return await client.get(f"/api/v1/files/{file_id}/content", headers=headers)

    middle = await part("bytes=2-4")
    assert (middle.status_code, middle.content) == (206, b"234")
    assert middle.headers["content-range"] == "bytes 2-4/10"
    beyond = await part("bytes=20-30")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == "bytes */10"
    assert beyond.json()["code"] == "range_not_satisfiable"
    malformed = await part("bytes=x")
    assert malformed.status_code == 400
    assert malformed.json()["path"] == f"/api/v1/files/{file_id}/content"


@pytest.mark.parametrize(
    ("size", "status"), [(0, 422), (1, 201), (LIMIT - 1, 201), (LIMIT, 201), (LIMIT + 1, 413)]
)
async def test_sizes(
    client: httpx.AsyncClient, member: Account, settings: Settings, size: int, status: int
) -> None:
    response = await upload(client, member, b"a" * size)
    assert response.status_code == status
    assert len(stored(settings)) == (1 if status == 201 else 0)
    if status == 201:
        assert response.json()["size"] == size
    else:
        assert set(response.json()) == {"code", "detail", "request_id", "path", "errors"}


async def test_the_route_refuses_longer_bodies(client: httpx.AsyncClient, member: Account) -> None:
    response = await upload(client, member, b"a" * (MAX_UPLOAD_BODY + 1))
    assert response.status_code == 413
    assert response.json()["code"] == "content_too_large"
    assert response.headers["x-request-id"] == response.json()["request_id"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"%PDF-1.7 ...", "application/pdf"),
        ("grüße\r\n\t".encode(), "text/plain"),
        ("ü".encode()[:1], "text/plain"),
        (b"MZ\x90\x00", None),
        (b"\xff\xfe\x00", None),
        (b"\xc3\x28", None),
    ],
)
def test_types_come_from_the_content(content: bytes, media_type: str | None) -> None:
    assert sniff_media_type(content) == media_type


async def test_wrong_type(client: httpx.AsyncClient, member: Account, settings: Settings) -> None:
    response = await upload(client, member, b"MZ\x90\x00\x03", "picture.png")
    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_file_type"
    assert stored(settings) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../x", "x"),
        ("..\\..\\x.txt", "x.txt"),
        ("/etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: b=c", "a_Set-Cookie_ b=c"),
        ('quo"te', "quo_te"),
        ("..", "file"),
        ("", "file"),
        (None, "file"),
        ("x" * 300, "x" * 255),
        ("\ud800.txt", "?.txt"),
        ("grüße.txt", "grüße.txt"),
    ],
)
def test_names_are_made_harmless(name: str | None, expected: str) -> None:
    assert harmless_name(name) == expected


@pytest.mark.parametrize("name", ["../../x", "a\r\nX-Injected: 1", "grüße.txt", "%0d%0aX: 1"])
async def test_hostile_names(
    client: httpx.AsyncClient, member: Account, settings: Settings, name: str
) -> None:
    created = await upload(client, member, b"text", name)
    assert created.status_code == 201
    file_id = created.json()["id"]
    content = await client.get(f"/api/v1/files/{file_id}/content", headers=member.bearer)
    assert content.content == b"text"
    assert not {"x", "x-injected"} & set(content.headers)
    [path] = stored(settings)
    assert path.name.isalnum(), "the storage's name has nothing of the client's"


async def test_files_of_others_do_not_exist(
    client: httpx.AsyncClient, member: Account, other: Account, admin: Account
) -> None:
    file_id = (await upload(client, member, b"secret")).json()["id"]
    url = f"/api/v1/files/{file_id}"
    answers = [
        await client.get(url, headers=other.bearer),
        await client.get(f"{url}/content", headers=other.bearer),
        await client.delete(url, headers=other.bearer),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await client.get(url, headers=admin.bearer)).status_code == 200
    listed = await client.get("/api/v1/files", headers=admin.bearer)
    assert listed.json()["total"] == 1


async def test_files_need_a_token(client: httpx.AsyncClient) -> None:
    file_id = uuid4()
    assert (await client.get("/api/v1/files")).status_code == 401
    files = {"file": ("a.txt", b"a")}
    assert (await client.post("/api/v1/files", files=files)).status_code == 401
    assert (await client.get(f"/api/v1/files/{file_id}")).status_code == 401
    assert (await client.get(f"/api/v1/files/{file_id}/content")).status_code == 401
    assert (await client.delete(f"/api/v1/files/{file_id}")).status_code == 401


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_full_disk(
    client: httpx.AsyncClient,
    member: Account,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    async def write(self: anyio.AsyncFile[bytes], data: bytes) -> int:
        raise OSError(code, "No space left on device")

    monkeypatch.setattr(anyio.AsyncFile, "write", write)
    response = await upload(client, member, b"a" * 1000)
    assert response.status_code == 507
    assert response.json()["code"] == "storage_full"
    assert stored(settings) == [], "nothing half-written stays"
    monkeypatch.undo()
    assert (await upload(client, member, b"a")).status_code == 201


async def test_full_disk_under_the_forms_temporary_files(
    client: httpx.AsyncClient, member: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def parse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("starlette.formparsers.MultiPartParser.parse", parse)
    response = await upload(client, member, b"a" * 1000)
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")


async def test_other_errors_of_the_disk_are_not_the_clients_business(
    client: httpx.AsyncClient, member: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(self: anyio.AsyncFile[bytes], data: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(anyio.AsyncFile, "write", write)
    response = await upload(client, member, b"a")
    assert response.status_code == 500
    assert "Input/output" not in response.text


async def test_no_row_without_content(
    client: httpx.AsyncClient, member: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    monkeypatch.setattr(FileRepository, "add", fail)
    assert (await upload(client, member, b"a")).status_code == 503
    monkeypatch.undo()
    listed = await client.get("/api/v1/files", headers=member.bearer)
    assert listed.json()["total"] == 0
