"""The process environment, read once and checked as a whole.

`read_environment` is pure: the same mapping gives the same settings or the same one-sentence complaint.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import environ

ENGINES = ("sandbox", "judge0")
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
# Tokens are signed with HMAC-SHA-256, whose keys should have its length.
SECRET_KEY_MIN = 32
METRICS_TOKEN_MIN = 16
TIERS_DOWN_TO = {"": "ABC", "A": "A", "B": "AB", "C": "ABC"}
# A call on a new connection waits four times at most: to connect, to sign in, to choose the database, to be answered.
# Together that is 200 ms; a Redis near by answers in one.
CACHE_TIMEOUT_S = 0.05
# How long a statement waits for what another transaction holds; then the request is answered 503.
LOCK_PATIENCE_S = 20
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]


class ConfigurationError(Exception):
    """The environment is missing something or contradicts itself; the message is one sentence that names the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Everything Assay takes from the environment, typed and free of contradictions."""

    is_production: bool
    is_debug: bool
    is_web_process: bool
    secret_key: str | None  # None: keep a generated one in the data directory
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    data_dir: Path
    kit_dir: Path
    static_root: Path
    database_url: str
    database_pool_size: int
    redis_url: str | None
    registration_open: bool
    log_format: str
    executor_engine: str
    executor_worker_threads: int
    queue_capacity: int
    pending_per_student: int
    submissions_per_minute: int
    submissions_per_problem_hour: int
    coalesces_submissions: bool
    celery_broker_url: str | None
    requests_at_once: int
    metrics_token: str
    metrics_dir: Path | None  # where the machine's processes count together
    executor_tiers: str  # the sandbox's tiers that may hold programs, such as "ABC"
    judge0_url: str | None
    judge0_auth_token: str


def read_environment(variables: Mapping[str, str], *, base_dir: Path) -> Environment:
    """Turn environment variables into settings.

    Raises:
        ConfigurationError: a value is missing, malformed, or contradicts another.
    """
    env = environ.Env()
    env.ENVIRON = dict(variables)

    production = _boolean(env, "ASSAY_PRODUCTION", default=False)
    debug = _boolean(env, "DEBUG", default=False)
    secret_key = variables.get("SECRET_KEY") or None
    allowed_hosts = env.list("ALLOWED_HOSTS", default=[])
    data_dir = Path(variables.get("ASSAY_DATA_DIR") or base_dir / "var").absolute()
    # Quoted, since a directory may have a name that means something in a URL.
    database_url = variables.get("DATABASE_URL") or f"sqlite:///{quote(str(data_dir / 'assay.sqlite3'))}"
    engine = variables.get("EXECUTOR_ENGINE") or "sandbox"
    judge0_url = variables.get("JUDGE0_URL") or None
    redis_url = variables.get("REDIS_URL") or None
    broker_url = variables.get("CELERY_BROKER_URL") or None
    metrics_token = variables.get("METRICS_TOKEN", "")
    metrics_dir = variables.get("PROMETHEUS_MULTIPROC_DIR", "")

    if production and not secret_key:
        raise ConfigurationError(
            "SECRET_KEY is missing: production needs a long random value of its own in the environment."
        )
    if secret_key and (len(secret_key) < SECRET_KEY_MIN or len(set(secret_key)) < 5):
        raise ConfigurationError(
            f"SECRET_KEY is too weak: at least {SECRET_KEY_MIN} random characters are needed to sign tokens safely."
        )
    if production and not allowed_hosts:
        raise ConfigurationError("ALLOWED_HOSTS is missing: name the host names this server answers to, by commas.")
    if production and "*" in allowed_hosts:
        raise ConfigurationError(
            "ALLOWED_HOSTS may not be * in production: mails would link to any host a caller names."
        )
    if production and debug:
        raise ConfigurationError("DEBUG and ASSAY_PRODUCTION contradict each other: switch one of them off.")
    _check_url(
        "DATABASE_URL", database_url, schemes=DATABASE_SCHEMES, needs="sqlite:///FILE or postgres://HOST/DATABASE"
    )
    if redis_url:
        _check_url("REDIS_URL", redis_url, schemes=("redis", "rediss", "unix"), needs="redis://HOST:PORT/NUMBER")
    if broker_url:
        _check_url(
            "CELERY_BROKER_URL",
            broker_url,
            schemes=("redis", "rediss", "amqp", "amqps"),
            needs="redis://HOST:PORT/NUMBER or amqp://USER:PASSWORD@HOST:PORT/VHOST",
        )
    if broker_url and database_url.startswith("sqlite"):
        raise ConfigurationError(
            "CELERY_BROKER_URL is set but the database is SQLite, which workers elsewhere cannot share: "
            "set DATABASE_URL to a PostgreSQL, or remove CELERY_BROKER_URL."
        )
    if metrics_token and len(metrics_token) < METRICS_TOKEN_MIN:
        raise ConfigurationError(f"METRICS_TOKEN is too short: it needs at least {METRICS_TOKEN_MIN} characters.")
    if engine not in ENGINES:
        raise ConfigurationError(f"EXECUTOR_ENGINE is {engine!r}: it must be one of {', '.join(ENGINES)}.")
    if engine == "judge0" and not judge0_url:
        raise ConfigurationError("JUDGE0_URL is missing: EXECUTOR_ENGINE=judge0 needs the address of a Judge0.")
    if engine != "judge0" and judge0_url:
        raise ConfigurationError(
            f"JUDGE0_URL is set but EXECUTOR_ENGINE is {engine!r}: set EXECUTOR_ENGINE=judge0 or remove JUDGE0_URL."
        )
    if judge0_url:
        _check_url("JUDGE0_URL", judge0_url, schemes=("http", "https"), needs="http://HOST:PORT or https://HOST")
    log_format = variables.get("LOG_FORMAT") or "json"
    if log_format not in ("json", "console"):
        raise ConfigurationError(f"LOG_FORMAT is {log_format!r}: it must be json or console.")

    return Environment(
        is_production=production,
        is_debug=debug,
        is_web_process=variables.get("ASSAY_PROCESS") == "web",
        secret_key=secret_key,
        # Probes of the machine itself name a loopback host, in production too.
        allowed_hosts=[*allowed_hosts, *(host for host in LOOPBACK_HOSTS if host not in allowed_hosts)],
        csrf_trusted_origins=_origins(env.list("CSRF_TRUSTED_ORIGINS", default=[])),
        data_dir=data_dir,
        kit_dir=Path(variables.get("EXECUTOR_KIT_DIRECTORY") or data_dir / "sandbox").absolute(),
        static_root=Path(variables.get("ASSAY_STATIC_ROOT") or base_dir / "staticfiles").absolute(),
        database_url=database_url,
        database_pool_size=_whole_number(variables, "DATABASE_POOL_SIZE", default=8, least=1, most=200),
        redis_url=redis_url,
        registration_open=_boolean(env, "REGISTRATION_OPEN", default=not production),
        log_format=log_format,
        executor_engine=engine,
        executor_worker_threads=_whole_number(
            # Where there is a broker, workers elsewhere judge.
            variables,
            "EXECUTOR_WORKER_THREADS",
            default=0 if broker_url else os.cpu_count() or 1,
            least=0,
            most=256,
        ),
        queue_capacity=_whole_number(variables, "EXECUTOR_QUEUE_CAPACITY", default=5000, least=1, most=1_000_000),
        pending_per_student=_whole_number(variables, "EXECUTOR_PENDING_PER_STUDENT", default=20, least=1, most=100_000),
        submissions_per_minute=_whole_number(
            variables, "EXECUTOR_SUBMISSIONS_PER_MINUTE", default=30, least=1, most=100_000
        ),
        submissions_per_problem_hour=_whole_number(
            variables, "EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR", default=100, least=1, most=100_000
        ),
        coalesces_submissions=_boolean(env, "EXECUTOR_COALESCE_SUBMISSIONS", default=False),
        celery_broker_url=broker_url,
        requests_at_once=_whole_number(variables, "REQUESTS_AT_ONCE", default=16, least=1, most=1000),
        metrics_token=metrics_token,
        metrics_dir=Path(metrics_dir).absolute() if metrics_dir else None,
        executor_tiers=_tiers(variables, trusts_code=_boolean(env, "EXECUTOR_TRUST_CODE", default=False)),
        judge0_url=judge0_url,
        judge0_auth_token=variables.get("JUDGE0_AUTH_TOKEN", ""),
    )


def database_settings(environment: Environment) -> dict[str, Any]:
    """Django's `DATABASES["default"]` for this environment.

    SQLite writes ahead, syncs every commit and takes its write lock at the start of a transaction, so that an
    acknowledged submission survives a power cut and two writers wait for each other instead of failing.
    PostgreSQL gets a connection pool in web processes only: a pool shared over a fork corrupts its connections.
    Connections are given their limits as they are made, which a pooler between here and the server has to let through.
    """
    config: dict[str, Any] = environ.Env.db_url_config(environment.database_url)
    if config["ENGINE"].endswith("sqlite3"):
        config["ENGINE"] = "core.sqlite3"
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": LOCK_PATIENCE_S,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
        return config
    options = config.setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 5)
    # As patient as SQLite; and who holds locks and is not heard of any more, lets others pass.
    options.setdefault("options", f"-c lock_timeout={LOCK_PATIENCE_S}s -c idle_in_transaction_session_timeout=60s")
    for name, value in (("keepalives_idle", 30), ("keepalives_interval", 10), ("keepalives_count", 3)):
        options.setdefault(name, value)
    if environment.is_web_process:
        options["pool"] = {"min_size": 1, "max_size": environment.database_pool_size, "timeout": 10}
    # Django refuses a pool together with connections that outlive their request; the pool's own are checked when lent.
    config["CONN_MAX_AGE"] = 0
    config["CONN_HEALTH_CHECKS"] = True
    return config


def cache_settings(environment: Environment) -> dict[str, Any]:
    """Django's `CACHES`: Redis where there is one, else this process's memory. Losing it costs speed only (law 5)."""
    if environment.redis_url is None:
        return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "assay"}}
    return {
        "default": {
            "BACKEND": "core.cache.RedisCache",
            "LOCATION": environment.redis_url,
            "KEY_PREFIX": "assay",
            "OPTIONS": {
                "SOCKET_CONNECT_TIMEOUT": CACHE_TIMEOUT_S,
                "SOCKET_TIMEOUT": CACHE_TIMEOUT_S,
                # The older protocol, and no introduction: a new connection waits for no more answers than it needs,
                # and the server cannot ask for longer timeouts, as it can in the newer one.
                "CONNECTION_POOL_KWARGS": {"protocol": 2, "driver_info": None},
                "SERIALIZER": "core.plain_json.PlainJsonSerializer",
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }


def _check_url(name: str, url: str, *, schemes: tuple[str, ...], needs: str) -> None:
    try:
        parts = urlsplit(url)
        # `port` is read for its check: it raises where it is no number below 65536.
        is_whole = parts.scheme in schemes and (parts.port or 1) > 0
    except ValueError:
        is_whole = False
    if is_whole and parts.scheme in ("sqlite", "unix"):
        # A database in memory would be another one in each thread.
        is_whole = len(parts.path) > 1 and ":memory:" not in url
    elif is_whole and name == "DATABASE_URL":
        is_whole = len(parts.path) > 1
    elif is_whole:
        is_whole = bool(parts.hostname)
    if not is_whole:
        # The value is not repeated: it may hold a password.
        raise ConfigurationError(f"{name} is not usable: it must look like {needs}.")


def _origins(origins: list[str]) -> list[str]:
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            raise ConfigurationError(f"CSRF_TRUSTED_ORIGINS has {origin!r}: each must begin with https:// or http://.")
    return origins


def _tiers(variables: Mapping[str, str], *, trusts_code: bool) -> str:
    """The sandbox's tiers down to the lowest one allowed; D, which holds nothing, only for who trusts every program."""
    lowest = variables.get("EXECUTOR_MINIMUM_TIER") or ""
    if lowest not in TIERS_DOWN_TO:
        raise ConfigurationError(f"EXECUTOR_MINIMUM_TIER is {lowest!r}: it must be A, B or C.")
    if lowest and trusts_code:
        raise ConfigurationError(
            "EXECUTOR_TRUST_CODE and EXECUTOR_MINIMUM_TIER contradict each other: the former allows tier D, which is "
            "below every minimum."
        )
    return "ABCD" if trusts_code else TIERS_DOWN_TO[lowest]


def _boolean(env: environ.Env, name: str, *, default: bool) -> bool:
    value = env.ENVIRON.get(name, "").strip().lower()
    if value == "":
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ConfigurationError(f"{name} is {value!r}: it must be 1 or 0.")


def _whole_number(variables: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = variables.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ConfigurationError(f"{name} is {text!r}: it must be a whole number from {least} to {most}.")
    return int(text)
