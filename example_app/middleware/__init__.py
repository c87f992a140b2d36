"""Pure ASGI middleware, wired in `example_app.application`."""
