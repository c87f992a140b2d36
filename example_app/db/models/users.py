"""Users."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from example_app.core.permissions import Role
from example_app.db.models.base import Base


class User(Base):
    """Somebody who can log in."""

    __tablename__ = "users"

    username: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(String(16), default="member")
    is_active: Mapped[bool] = mapped_column(default=True)
