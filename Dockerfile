# The image of Assay's web process and of its workers. They differ by their command and environment alone:
# see compose.yaml. Judging is done by a Judge0, so the image needs neither compilers nor privileges.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/assay
COPY requirements.txt /tmp/requirements.txt
RUN /opt/assay/bin/pip install --requirement /tmp/requirements.txt


FROM python:3.11.14-slim-bookworm

# The Python binding of the embedded sandbox loads this library when it is imported. A volume for attachments takes over
# the owner of the directory it is mounted on.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libseccomp2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent assay \
    && install --directory --owner assay --group assay /var/lib/assay /var/lib/assay/media

COPY --from=build /opt/assay /opt/assay
WORKDIR /srv/assay
COPY . .

ENV PATH=/opt/assay/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ASSAY_PRODUCTION=1 \
    ASSAY_DATA_DIR=/var/lib/assay

# Static files lie in the image. The key is made up for this one step and kept nowhere.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" ALLOWED_HOSTS=build.invalid \
    python manage.py collectstatic --noinput

USER assay
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "script/healthcheck.py", "http://127.0.0.1:8000/healthz"]
CMD ["gunicorn", "--worker-class", "asgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--asgi-lifespan", "on", "config.asgi:application"]
