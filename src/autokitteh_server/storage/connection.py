"""The type of what storage's functions take first, so that callers can name it without knowing SQLAlchemy."""

from sqlalchemy import Connection

__all__ = ["Connection"]
