"""The product's settings, with quicker sweeps and names of the test's own."""

import os

from config.settings import *  # noqa: F403
from config.settings import CACHES

EXECUTOR_SWEEP_S = 1
EXECUTOR_MESSAGES_PREFIX = os.environ["TEST_MESSAGES_PREFIX"]
CACHES["default"]["KEY_PREFIX"] = os.environ["TEST_CACHE_PREFIX"]
