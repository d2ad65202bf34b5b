"""Django settings. The environment is read once, here; every default works with nothing started."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from config.environment import ConfigurationError, Environment, cache_settings, database_settings, read_environment
from config.secret_key import generated_secret_key
from core.logging import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent


def _load() -> tuple[Environment, str]:
    try:
        environment = read_environment(os.environ, base_dir=BASE_DIR)
        return environment, environment.secret_key or generated_secret_key(environment.data_dir)
    except ConfigurationError as error:
        # One clear sentence instead of a traceback: the reader is an operator, and the fault is in the environment.
        sys.exit(f"assay: {error}")


_environment, SECRET_KEY = _load()
ASSAY_DATA_DIR = _environment.data_dir
ASSAY_PRODUCTION = _environment.is_production
DEBUG = _environment.is_debug
ALLOWED_HOSTS = _environment.allowed_hosts
CSRF_TRUSTED_ORIGINS = _environment.csrf_trusted_origins

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "accounts",
    "events",
    "courses",
    "executor",
    "exams",
    "discussions",
    # After those whose templates replace its own. Its pages are registered as the addresses are read.
    "django.contrib.admin.apps.SimpleAdminConfig",
]
MIDDLEWARE = [
    "core.middleware.RequestContextMiddleware",  # outermost: it stamps received_at (law 6)
    # Then what puts headers on every answer, refusals included.
    "core.middleware.SecurityHeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.middleware.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "config.urls"
# A redirect would turn a POST without its slash into a GET; such an address is a 404 like any other.
APPEND_SLASH = False
CSRF_FAILURE_VIEW = "core.problems.csrf_failure"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database_settings(_environment)}
CACHES = cache_settings(_environment)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailOrUsernameBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNTS_REGISTRATION_OPEN = _environment.registration_open
# Failed logins an account may have within the window before it has to wait.
ACCOUNTS_LOGIN_FAILURES_MAX = 5
ACCOUNTS_LOGIN_WINDOW_S = 60

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Outside production the packages' own static files are served as they lie; production collects and compresses them.
WHITENOISE_USE_FINDERS = not _environment.is_production
if _environment.is_production:
    STATIC_ROOT = _environment.static_root
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
if _environment.is_production:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # probes come from inside, without TLS
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Attachments, by the hash of their content. Nothing serves this directory: files leave by views that ask who reads.
MEDIA_ROOT = _environment.data_dir / "media"

# Larger request bodies are refused unread: forms, in which files come, and everything else.
CORE_FORM_LIMIT_BYTES = 12 * 1024 * 1024
CORE_BODY_LIMIT_BYTES = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = CORE_BODY_LIMIT_BYTES

# Requests that a process works on at a time; the others wait their turn. Event streams do not count.
CORE_REQUESTS_AT_ONCE = _environment.requests_at_once
# How long the answer to a request with an `Idempotency-Key` is kept.
CORE_IDEMPOTENCY_KEPT_S = 24 * 3600

# Where there is a broker, Celery's workers judge, and messages wake them; without one, threads of the server do.
CELERY_BROKER_URL = _environment.celery_broker_url
# What the names of the queues begin with, for who shares a broker.
EXECUTOR_MESSAGES_PREFIX = ""
# What a scraper of /metrics has to send as its bearer token.
METRICS_TOKEN = _environment.metrics_token
# Where this machine's processes write what they count; the library that counts looks for it as it is imported.
METRICS_DIR = _environment.metrics_dir
if METRICS_DIR is None:
    # An empty one would mean the present directory to it.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
else:
    METRICS_DIR.mkdir(parents=True, exist_ok=True)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["core.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "core.pagination.PageNumberPagination",
    "DEFAULT_FILTER_BACKENDS": ["core.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "core.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "core.problems.exception_handler",
    # OPTIONS describes nothing: the OpenAPI document does, and it does not leak a view's fields by role.
    "DEFAULT_METADATA_CLASS": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "iso-8601",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ALGORITHM": "HS256",
    "ISSUER": "assay",
    "AUTH_HEADER_TYPES": ("Bearer",),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Assay",
    "DESCRIPTION": "Submit programs, author courses, and defend every mark.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Two sets of choices for fields of one name.
    "ENUM_NAME_OVERRIDES": {
        "OrganizationRole": "accounts.models.Membership.Role",
        "CourseRole": "courses.models.Enrollment.Role",
        "TestArchiveMode": "courses.api.given.testcases.ARCHIVE_MODES",
        "RequiresMode": "courses.models.unlocking.Unlockable.RequiresMode",
        "PublicationStatus": "courses.models.Course.Status",
        "ChapterStatus": "courses.models.Chapter.Status",
        "ProgressStatus": "courses.models.ProblemProgress.Status",
        "ProblemType": "courses.models.Problem.Type",
    },
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "format": "int64", "minimum": 0}},
}

# Answers to choices and blanks that one user may have checked within the window.
COURSES_CHECKS_PER_WINDOW = 30
COURSES_CHECK_WINDOW_S = 60

# Invitation codes that one user may try within the window.
COURSES_JOIN_TRIES_PER_WINDOW = 20
COURSES_JOIN_WINDOW_S = 600

EXECUTOR_ENGINE = _environment.executor_engine
# What `manage.py sandbox_setup` makes once, so that judging is fast.
EXECUTOR_KIT_DIRECTORY = _environment.kit_dir
EXECUTOR_WORKER_THREADS = _environment.executor_worker_threads
EXECUTOR_TIERS = _environment.executor_tiers
EXECUTOR_LEASE_S = 20
EXECUTOR_LEASE_RENEW_S = 5
EXECUTOR_SWEEP_S = 5
EXECUTOR_POLL_S = 2
EXECUTOR_TRIES_MAX = 3
# Live judgements that may wait at a time; beyond them a submission is refused. From half of them on the queue is busy.
EXECUTOR_QUEUE_CAPACITY = _environment.queue_capacity
EXECUTOR_QUEUE_BUSY_SHARE = 0.5
# What one student may have waiting, and hand in.
EXECUTOR_PENDING_PER_STUDENT = _environment.pending_per_student
EXECUTOR_SUBMISSIONS_PER_MINUTE = _environment.submissions_per_minute
EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR = _environment.submissions_per_problem_hour
# Only a student's newest waiting submission to a problem is judged; the older ones become `superseded`.
EXECUTOR_COALESCE_SUBMISSIONS = _environment.coalesces_submissions
EXECUTOR_CODE_LIMIT_BYTES = 64 * 1024
EXECUTOR_FILES_MAX = 20
EXECUTOR_WAIT_MAX_S = 30
# Requests of a process that may wait for a verdict (`?wait=`) at a time; the others are answered at once.
EXECUTOR_WAITS_AT_ONCE = 4
# Free runs at a time and process: never more than there are processors, so that judging does not starve.
EXECUTOR_RUNS_AT_ONCE = min(2, os.cpu_count() or 1)
# Free runs of one user within the window; one at a time.
EXECUTOR_RUNS_PER_WINDOW = 30
EXECUTOR_RUN_WINDOW_S = 60
EXECUTOR_RUN_TIME_LIMIT_MS = 3000
EXECUTOR_RUN_MEMORY_LIMIT_MB = 256
EXECUTOR_RUN_OUTPUT_LIMIT_KIB = 64
EXECUTOR_RUN_STDIN_LIMIT_BYTES = 64 * 1024
JUDGE0_URL = _environment.judge0_url
JUDGE0_AUTH_TOKEN = _environment.judge0_auth_token

# Event streams: how long one lasts before its client connects again, how often it says that it is there, how often the
# database is asked for what no message told, and how often the right of a silent listener is read again.
EVENTS_STREAM_LIFE_S = 600
EVENTS_KEEP_ALIVE_S = 15
EVENTS_POLL_S = 2
EVENTS_RECHECK_S = 30
# Streams open in a process: of one user, and of all.
EVENTS_STREAMS_PER_USER = 20
EVENTS_STREAMS_AT_ONCE = 800
EVENTS_TICKET_S = 60

LOGGING = logging_settings(log_format=_environment.log_format)
