"""The project's settings for processes that are to be killed: tokens outlive a run, short runs have short leases."""

import os
from datetime import timedelta

from config.settings import *  # noqa: F403
from config.settings import EXECUTOR_LEASE_RENEW_S, EXECUTOR_LEASE_S, EXECUTOR_SWEEP_S, SIMPLE_JWT

SIMPLE_JWT = {**SIMPLE_JWT, "ACCESS_TOKEN_LIFETIME": timedelta(days=1)}

# 1 is the product's pace; a quarter of it makes leases of 5 seconds.
_PACE = float(os.environ.get("RELIABILITY_PACE", "1"))
EXECUTOR_LEASE_S = EXECUTOR_LEASE_S * _PACE  # type: ignore[assignment]
EXECUTOR_LEASE_RENEW_S = EXECUTOR_LEASE_RENEW_S * _PACE  # type: ignore[assignment]
EXECUTOR_SWEEP_S = EXECUTOR_SWEEP_S * _PACE  # type: ignore[assignment]
