"""The environment as a pure function: every fault is one sentence that names the variable, and repeats no secret."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.cache import CacheHandler

from config.environment import ConfigurationError, Environment, cache_settings, database_settings, read_environment

KEY = "k3y-of-thirty-two-or-more-characters"
PRODUCTION = {"ASSAY_PRODUCTION": "1", "SECRET_KEY": KEY, "ALLOWED_HOSTS": "assay.example"}


def read(**variables: str) -> Environment:
    return read_environment(variables, base_dir=Path("/srv/assay"))


class TestDefaults:
    def test_nothing_has_to_be_set(self) -> None:
        environment = read()
        assert not environment.is_production
        assert not environment.is_debug
        assert not environment.is_web_process
        assert environment.secret_key is None
        assert environment.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
        assert environment.redis_url is None
        assert environment.registration_open
        assert environment.executor_engine == "sandbox"
        assert environment.executor_worker_threads >= 1
        assert environment.data_dir == Path("/srv/assay/var")
        assert environment.kit_dir == Path("/srv/assay/var/sandbox")

    def test_an_empty_variable_is_an_unset_one(self) -> None:
        names = (
            "SECRET_KEY DATABASE_URL REDIS_URL EXECUTOR_ENGINE JUDGE0_URL LOG_FORMAT ASSAY_DATA_DIR DEBUG "
            "ALLOWED_HOSTS ASSAY_PRODUCTION REGISTRATION_OPEN DATABASE_POOL_SIZE EXECUTOR_WORKER_THREADS "
            "CSRF_TRUSTED_ORIGINS ASSAY_STATIC_ROOT JUDGE0_AUTH_TOKEN EXECUTOR_MINIMUM_TIER EXECUTOR_TRUST_CODE "
            "EXECUTOR_KIT_DIRECTORY"
        )
        assert read(**dict.fromkeys(names.split(), "")) == read()

    def test_production_closes_registration_and_keeps_loopback_for_probes(self) -> None:
        environment = read(**PRODUCTION)
        assert not environment.registration_open
        assert environment.allowed_hosts == ["assay.example", "localhost", "127.0.0.1", "[::1]"]

    @pytest.mark.parametrize(
        ("text", "value"), [("1", True), (" YES ", True), ("on", True), ("0", False), ("No", False)]
    )
    def test_switches(self, text: str, value: bool) -> None:
        assert read(DEBUG=text).is_debug is value

    def test_lists_are_parted_by_commas(self) -> None:
        environment = read(CSRF_TRUSTED_ORIGINS="https://a.example,https://b.example")
        assert environment.csrf_trusted_origins == ["https://a.example", "https://b.example"]


class TestTiers:
    @pytest.mark.parametrize(
        ("variables", "tiers"),
        [
            ({}, "ABC"),
            ({"EXECUTOR_MINIMUM_TIER": "C"}, "ABC"),
            ({"EXECUTOR_MINIMUM_TIER": "B"}, "AB"),
            ({"EXECUTOR_MINIMUM_TIER": "A"}, "A"),
            ({"EXECUTOR_MINIMUM_TIER": "A", "EXECUTOR_TRUST_CODE": "0"}, "A"),
            ({"EXECUTOR_TRUST_CODE": "1"}, "ABCD"),
        ],
    )
    def test_programs_are_trusted_only_where_it_is_asked_for(self, variables: dict[str, str], tiers: str) -> None:
        assert read(**variables).executor_tiers == tiers


class TestFaults:
    @pytest.mark.parametrize(
        ("variables", "named"),
        [
            pytest.param({"ASSAY_PRODUCTION": "1", "ALLOWED_HOSTS": "a"}, "SECRET_KEY is missing", id="no key"),
            pytest.param({"SECRET_KEY": "short"}, "SECRET_KEY is too weak", id="short key"),
            pytest.param({"SECRET_KEY": "ab" * 40}, "SECRET_KEY is too weak", id="monotonous key"),
            pytest.param({"ASSAY_PRODUCTION": "1", "SECRET_KEY": KEY}, "ALLOWED_HOSTS is missing", id="no hosts"),
            pytest.param({**PRODUCTION, "ALLOWED_HOSTS": "a,*"}, "ALLOWED_HOSTS may not be *", id="any host"),
            pytest.param({**PRODUCTION, "DEBUG": "1"}, "DEBUG and ASSAY_PRODUCTION", id="debugging in production"),
            pytest.param({"ASSAY_PRODUCTION": "perhaps"}, "ASSAY_PRODUCTION is 'perhaps'", id="odd switch"),
            pytest.param({"DEBUG": "2"}, "DEBUG is '2'", id="odd debug"),
            pytest.param({"REGISTRATION_OPEN": "closed"}, "REGISTRATION_OPEN is 'closed'", id="odd registration"),
            pytest.param({"EXECUTOR_MINIMUM_TIER": "D"}, "EXECUTOR_MINIMUM_TIER is 'D'", id="no minimum"),
            pytest.param(
                {"EXECUTOR_MINIMUM_TIER": "A", "EXECUTOR_TRUST_CODE": "1"},
                "EXECUTOR_TRUST_CODE and EXECUTOR_MINIMUM_TIER contradict",
                id="trust below a minimum",
            ),
            pytest.param({"DATABASE_URL": "mysql://u@h/db"}, "DATABASE_URL is not usable", id="another database"),
            pytest.param({"DATABASE_URL": "postgres://u@h:port/db"}, "DATABASE_URL is not usable", id="odd port"),
            pytest.param({"DATABASE_URL": "postgres://u@h:70000/db"}, "DATABASE_URL is not usable", id="high port"),
            pytest.param({"DATABASE_URL": "postgres://u@h"}, "DATABASE_URL is not usable", id="no database name"),
            pytest.param({"DATABASE_URL": "postgres://[h/db"}, "DATABASE_URL is not usable", id="broken address"),
            pytest.param({"DATABASE_URL": "sqlite://"}, "DATABASE_URL is not usable", id="no file"),
            pytest.param({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL is not usable", id="in memory"),
            pytest.param({"DATABASE_URL": "var/x.sqlite3"}, "DATABASE_URL is not usable", id="no scheme"),
            pytest.param({"REDIS_URL": "http://h"}, "REDIS_URL is not usable", id="no redis"),
            pytest.param({"REDIS_URL": "redis://h:x/0"}, "REDIS_URL is not usable", id="odd redis port"),
            pytest.param({"REDIS_URL": "redis://"}, "REDIS_URL is not usable", id="redis without a host"),
            pytest.param({"EXECUTOR_ENGINE": "docker"}, "EXECUTOR_ENGINE is 'docker'", id="another engine"),
            pytest.param({"EXECUTOR_ENGINE": "judge0"}, "JUDGE0_URL is missing", id="judge0 without address"),
            pytest.param({"JUDGE0_URL": "http://h"}, "JUDGE0_URL is set but EXECUTOR_ENGINE", id="address, no judge0"),
            pytest.param(
                {"EXECUTOR_ENGINE": "judge0", "JUDGE0_URL": "h:2358"}, "JUDGE0_URL is not usable", id="odd address"
            ),
            pytest.param({"LOG_FORMAT": "xml"}, "LOG_FORMAT is 'xml'", id="another log format"),
            pytest.param({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE is '0'", id="no pool"),
            pytest.param({"DATABASE_POOL_SIZE": "many"}, "DATABASE_POOL_SIZE is 'many'", id="odd pool"),
            pytest.param({"EXECUTOR_WORKER_THREADS": "-1"}, "EXECUTOR_WORKER_THREADS is '-1'", id="negative threads"),
            pytest.param({"EXECUTOR_WORKER_THREADS": "²"}, "EXECUTOR_WORKER_THREADS is '²'", id="odd digit"),
            pytest.param({"EXECUTOR_WORKER_THREADS": "257"}, "EXECUTOR_WORKER_THREADS is '257'", id="many threads"),
            pytest.param({"CSRF_TRUSTED_ORIGINS": "a.example"}, "CSRF_TRUSTED_ORIGINS has 'a.ex", id="no scheme"),
        ],
    )
    def test_each_is_one_sentence(self, variables: dict[str, str], named: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            read(**variables)
        sentence = str(caught.value)
        assert sentence.startswith(named)
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @pytest.mark.parametrize(
        "variables",
        [
            {"SECRET_KEY": "hunter2"},
            {"DATABASE_URL": "mysql://u:hunter2@h/db"},
            {"REDIS_URL": "http://:hunter2@h"},
            {"EXECUTOR_ENGINE": "judge0", "JUDGE0_URL": "ftp://:hunter2@h"},
        ],
    )
    def test_no_secret_is_repeated(self, variables: dict[str, str]) -> None:
        with pytest.raises(ConfigurationError) as caught:
            read(**variables)
        assert "hunter2" not in str(caught.value)


class TestDatabase:
    def test_sqlite_lies_in_the_data_directory_whatever_its_name(self) -> None:
        settings = database_settings(read(ASSAY_DATA_DIR="/srv/a b+c#d?e%41"))
        assert settings["NAME"] == "/srv/a b+c#d?e%41/assay.sqlite3"
        assert settings["ENGINE"] == "core.sqlite3"

    def test_postgres_has_a_pool_in_web_processes_only(self) -> None:
        url = "postgres://assay:p%40ss@db.example:5433/assay?sslmode=require"
        worker = database_settings(read(DATABASE_URL=url))
        assert "pool" not in worker["OPTIONS"]
        assert (worker["HOST"], worker["PORT"], worker["PASSWORD"]) == ("db.example", 5433, "p@ss")
        assert worker["OPTIONS"]["sslmode"] == "require"
        web = database_settings(read(DATABASE_URL=url, ASSAY_PROCESS="web", DATABASE_POOL_SIZE="12"))
        assert web["OPTIONS"]["pool"]["max_size"] == 12
        assert web["CONN_MAX_AGE"] == worker["CONN_MAX_AGE"] == 0
        assert web["CONN_HEALTH_CHECKS"] is True

    def test_sqlite_never_has_a_pool(self) -> None:
        assert "pool" not in database_settings(read(ASSAY_PROCESS="web"))["OPTIONS"]


class TestCache:
    def test_without_redis_it_is_this_process(self) -> None:
        cache = CacheHandler(cache_settings(read()))["default"]
        assert type(cache).__name__ == "LocMemCache"

    def test_with_redis_it_is_redis(self) -> None:
        settings = cache_settings(read(REDIS_URL="redis://127.0.0.1:6379/3"))
        assert settings["default"]["LOCATION"] == "redis://127.0.0.1:6379/3"

    def test_environments_are_values(self) -> None:
        environment = read()
        assert replace(environment, log_format="console") != environment
