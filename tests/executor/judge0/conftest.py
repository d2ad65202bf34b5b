"""A stand-in of Judge0, and three submissions to play on it."""

from collections.abc import Iterator

import pytest

from tests.executor.judge0.played import Play
from tests.executor.judge0.standin import StandIn, canaries
from tests.executor.judge0.support import KEY


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(canaries.knowing(), auth_token=KEY) as standin:
        yield standin


@pytest.fixture
def play(standin: StandIn) -> Play:
    return Play(standin)
