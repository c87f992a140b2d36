"""Settings of gunicorn: `gunicorn --config gunicorn.conf.py "example_app.main:create_app()"`.

Each worker builds its own application: nothing is shared between them but the database. Rate
limits and live notifications then need Redis or a broker (see limits.storage_uri).
"""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WORKERS", "2"))
worker_class = "uvicorn_worker.UvicornWorker"
preload_app = False  # an engine or an event loop must not cross a fork
timeout = 60
graceful_timeout = 10
keepalive = 5
accesslog = None  # the application writes the request log
errorlog = "-"
control_socket_disable = True
