# The reference service (example_app), not the linter.
FROM python:3.13-slim AS build
WORKDIR /build
RUN pip install --no-cache-dir --upgrade "pip>=25.1"
COPY pyproject.toml ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --upgrade "pip>=25.1" \
    && /venv/bin/pip install --no-cache-dir --group example

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 app && mkdir /data && chown app /data
WORKDIR /app
COPY --from=build /venv /venv
COPY alembic.ini gunicorn.conf.py ./
COPY migrations ./migrations
COPY example_app ./example_app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 BIND=0.0.0.0:8000 \
    EXAMPLE_APP_FILES__DIRECTORY=/data/files \
    EXAMPLE_APP_DATABASE__URL=sqlite+aiosqlite:////data/example_app.db
USER app
# The generated configuration, the database and the files outlive the container here.
WORKDIR /data
ENV PYTHONPATH=/app
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready')"]
CMD ["gunicorn", "--config", "/app/gunicorn.conf.py", "example_app.main:create_app()"]
