"""Every operation is requested once; those that are protected refuse."""

from __future__ import annotations

from uuid import uuid4

from fastapi.testclient import TestClient


def test_post_api_v1_auth_register(client: TestClient) -> None:
    assert client.post("/api/v1/auth/register").status_code == 422


def test_post_api_v1_auth_token(client: TestClient) -> None:
    assert client.post("/api/v1/auth/token").status_code == 422


def test_post_api_v1_auth_refresh(client: TestClient) -> None:
    assert client.post("/api/v1/auth/refresh").status_code == 422


def test_post_api_v1_auth_logout(client: TestClient) -> None:
    assert client.post("/api/v1/auth/logout").status_code == 422


def test_get_api_v1_users_me(client: TestClient) -> None:
    assert client.get("/api/v1/users/me").status_code == 401


def test_patch_api_v1_users_me(client: TestClient) -> None:
    assert client.patch("/api/v1/users/me").status_code == 401


def test_put_api_v1_users_me_password(client: TestClient) -> None:
    assert client.put("/api/v1/users/me/password").status_code == 401


def test_get_api_v1_users(client: TestClient) -> None:
    assert client.get("/api/v1/users").status_code == 401


def test_get_api_v1_users_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.get(f"/api/v1/users/{some_id}").status_code == 401


def test_patch_api_v1_users_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.patch(f"/api/v1/users/{some_id}").status_code == 401


def test_delete_api_v1_users_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.delete(f"/api/v1/users/{some_id}").status_code == 401


def test_get_api_v1_items(client: TestClient) -> None:
    assert client.get("/api/v1/items").status_code == 401


def test_post_api_v1_items(client: TestClient) -> None:
    assert client.post("/api/v1/items").status_code == 401


def test_get_api_v1_items_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.get(f"/api/v1/items/{some_id}").status_code == 401


def test_put_api_v1_items_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.put(f"/api/v1/items/{some_id}").status_code == 401


def test_patch_api_v1_items_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.patch(f"/api/v1/items/{some_id}").status_code == 401


def test_delete_api_v1_items_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.delete(f"/api/v1/items/{some_id}").status_code == 401


def test_get_api_v1_files(client: TestClient) -> None:
    assert client.get("/api/v1/files").status_code == 401


def test_post_api_v1_files(client: TestClient) -> None:
    assert client.post("/api/v1/files").status_code == 401


def test_get_api_v1_files_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.get(f"/api/v1/files/{some_id}").status_code == 401


def test_get_api_v1_files_one_content(client: TestClient) -> None:
    some_id = uuid4()
    assert client.get(f"/api/v1/files/{some_id}/content").status_code == 401


def test_delete_api_v1_files_one(client: TestClient) -> None:
    some_id = uuid4()
    assert client.delete(f"/api/v1/files/{some_id}").status_code == 401


def test_get_api_v1_notifications(client: TestClient) -> None:
    assert client.get("/api/v1/notifications").status_code == 401


def test_post_api_v1_notifications(client: TestClient) -> None:
    assert client.post("/api/v1/notifications").status_code == 401


def test_get_api_v1_notifications_stream(client: TestClient) -> None:
    assert client.get("/api/v1/notifications/stream").status_code == 401


def test_patch_api_v1_notifications_one_read(client: TestClient) -> None:
    some_id = uuid4()
    assert client.patch(f"/api/v1/notifications/{some_id}/read").status_code == 401


def test_post_api_rpc_session_login(client: TestClient) -> None:
    assert client.post("/api/rpc/session/login").status_code == 401


def test_post_api_rpc_session_logout(client: TestClient) -> None:
    assert client.post("/api/rpc/session/logout").status_code == 401


def test_post_api_rpc_session_user(client: TestClient) -> None:
    assert client.post("/api/rpc/session/user").status_code == 401


def test_post_api_rpc_items_list(client: TestClient) -> None:
    assert client.post("/api/rpc/items/list").status_code == 401


def test_post_api_rpc_items_get(client: TestClient) -> None:
    assert client.post("/api/rpc/items/get").status_code == 401


def test_post_api_rpc_items_create(client: TestClient) -> None:
    assert client.post("/api/rpc/items/create").status_code == 401


def test_post_api_rpc_items_update(client: TestClient) -> None:
    assert client.post("/api/rpc/items/update").status_code == 401


def test_post_api_rpc_items_delete(client: TestClient) -> None:
    assert client.post("/api/rpc/items/delete").status_code == 401


def test_post_api_rpc_files_list(client: TestClient) -> None:
    assert client.post("/api/rpc/files/list").status_code == 401


def test_post_api_rpc_files_upload(client: TestClient) -> None:
    assert client.post("/api/rpc/files/upload").status_code == 401


def test_get_api_rpc_files_one_content(client: TestClient) -> None:
    some_id = uuid4()
    assert client.get(f"/api/rpc/files/{some_id}/content").status_code == 401


def test_post_api_rpc_files_delete(client: TestClient) -> None:
    assert client.post("/api/rpc/files/delete").status_code == 401


def test_get_health(client: TestClient) -> None:
    assert client.get("/health").status_code == 200


def test_get_health_live(client: TestClient) -> None:
    assert client.get("/health/live").status_code == 200


def test_get_health_ready(client: TestClient) -> None:
    assert client.get("/health/ready").status_code == 200


def test_socket(client: TestClient) -> None:
    with client.websocket_connect("/api/v1/notifications/ws") as session:
        session.close()
