"""The tables. Importing this package registers all of them with `Base.metadata`."""

from example_app.db.models.base import Base
from example_app.db.models.files import StoredFile
from example_app.db.models.items import Item
from example_app.db.models.notifications import Notification
from example_app.db.models.outbox import OutboxMessage
from example_app.db.models.sessions import LoginSession
from example_app.db.models.tokens import RefreshToken
from example_app.db.models.users import User

__all__ = [
    "Base",
    "Item",
    "LoginSession",
    "Notification",
    "OutboxMessage",
    "RefreshToken",
    "StoredFile",
    "User",
]
