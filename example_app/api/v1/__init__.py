"""The REST surface: JSON web tokens, proper methods and status codes."""
