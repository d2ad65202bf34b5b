"""What all tests share: a client, an empty cache before each test, and no way out to the network."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from accounts.models import User
from executor.engines.sandbox.kit import build
from executor.engines.sandbox.recipes import runner_recipe

# No deadline: a busy machine is no fault of the code. The same examples in every run: a red test stays red.
hypothesis_settings.register_profile("assay", deadline=None, database=None, derandomize=True)
hypothesis_settings.load_profile("assay")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite tests run on a file, as in use: threads sharing one database in memory fail instead of waiting."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def own_cache_keys(worker_id: str) -> None:
    """Processes that test side by side may share a Redis, but no keys. A busy machine must not look like a dead one."""
    default = settings.CACHES["default"]
    default["KEY_PREFIX"] = f"assay-test-{worker_id}-{os.getpid()}"
    if "OPTIONS" in default:
        default["OPTIONS"] |= {"SOCKET_TIMEOUT": 20, "SOCKET_CONNECT_TIMEOUT": 20}


@pytest.fixture(scope="session", autouse=True)
def kit_directory() -> Iterator[Path]:
    """A kit with the native runner alone, where the user of the boxes can reach it; the sandbox of all tests has it."""
    directory = Path(tempfile.mkdtemp(prefix="assay-kit-", dir="/var/tmp"))
    build(directory, [runner_recipe()], lambda sentence: None)
    settings.EXECUTOR_KIT_DIRECTORY = directory
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session", autouse=True)
def media_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files that tests attach lie apart from those of the machine's own Assay."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")


@pytest.fixture(autouse=True)
def empty_cache(own_cache_keys: None) -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def forget_all() -> None:
    # `clear()` would empty the whole Redis, and with it what other processes test.
    if hasattr(cache, "delete_pattern"):
        cache.delete_pattern("*")
    else:
        cache.clear()


@pytest.fixture
def anonymous_api() -> APIClient:
    return APIClient()


@pytest.fixture
def api_as() -> Callable[[User], APIClient]:
    """A client signed in as the given user, without the cost of hashing a password."""

    def client_for(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return client_for


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would reach beyond this machine fails, whatever the machine allows."""
    real_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and not (host == "localhost" or host == "::1" or host.startswith("127.")):
            raise AssertionError(f"a test tried to connect to {address}")
        real_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
