"""Valid request bodies with random content."""

from __future__ import annotations

from polyfactory import Use
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import SecretStr

from example_app.schemas.items import ItemCreate
from example_app.schemas.users import UserCreate

PASSWORD = "correct horse battery"


class UserFactory(ModelFactory[UserCreate]):
    __model__ = UserCreate

    username = Use(lambda: f"user_{UserFactory.__faker__.hexify('^' * 12)}")
    email = Use(lambda: f"{UserFactory.__faker__.hexify('^' * 12)}@example.com")
    display_name = "Ada Lovelace"
    password = SecretStr(PASSWORD)


class ItemFactory(ModelFactory[ItemCreate]):
    __model__ = ItemCreate

    title = Use(lambda: " ".join(ItemFactory.__faker__.words(3)))
    description = "One of many."


def user_body(**values: object) -> dict[str, object]:
    body = UserFactory.build(**values).model_dump(mode="json")
    return {**body, "password": values.get("password", PASSWORD)}


def item_body(**values: object) -> dict[str, object]:
    return ItemFactory.build(**values).model_dump(mode="json")
