"""The engine that the attacks are tried on, made once for a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.engines.sandbox import SandboxEngine
from tests.executor.hostile.harness import Harness, harness_on


@pytest.fixture(scope="module")
def harness(kit_directory: Path) -> Iterator[Harness]:
    with harness_on(SandboxEngine(kit_directory=kit_directory)) as ready:
        yield ready
