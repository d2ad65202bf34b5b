"""The project's settings with the addresses of core's tests, for a real server in a process of its own."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.core.urls"
