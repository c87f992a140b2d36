"""The reference service: users, items, files and notifications on FastAPI.

Every file is meant to be copied. Imports go one way: api → services and schemas →
repositories → models; `core` imports nothing above it.
"""

__version__ = "1.0.0"
