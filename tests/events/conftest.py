"""Redis servers that misbehave, and breakers that remember no other test."""

from tests.core.conftest import fake_redis, fresh_breakers

__all__ = ["fake_redis", "fresh_breakers"]
