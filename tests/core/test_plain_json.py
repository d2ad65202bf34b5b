"""What is cached comes back equal, or is refused when it is stored; what cannot be read is corrupt and runs nothing."""

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.plain_json import CorruptValueError, PlainJsonSerializer, decode, encode


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class TestPlainJson:
    @pytest.mark.parametrize(
        "value",
        [None, True, 0, -1.5, 10**30, "", "naïve \x00 \ud800 ✓", [], [1, [2, None]], {"a": {"b": [False]}}],
    )
    def test_what_is_json_comes_back(self, value: object) -> None:
        back = decode(encode(value))
        assert (back, type(back)) == (value, type(value))

    @pytest.mark.parametrize(
        "value",
        [
            (1, 2),
            {1: "a"},
            {"a": [(1,)]},
            Decimal("1.5"),
            datetime(2026, 1, 1, tzinfo=UTC),
            {1, 2},
            b"bytes",
            float("nan"),
            float("inf"),
            object(),
            nested(100_000),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_would_come_back_as_something_else_is_refused(self, value: object) -> None:
        with pytest.raises(TypeError):
            encode(value)

    @pytest.mark.parametrize(
        "data",
        [b"", b"{", b'{"a": 1', b"\xff\xfe", b"\x80\x04K\x01.", b"[" * 100_000, b"9" * 5000, None, [b"1"]],
        ids=lambda data: repr(data)[:12],
    )
    def test_rubbish_is_named_so(self, data: object) -> None:
        with pytest.raises(CorruptValueError):
            decode(data)

    def test_reading_runs_nothing(self, tmp_path: Path) -> None:
        trace = tmp_path / "trace"

        class Trap:
            def __reduce__(self) -> Any:
                return Path.touch, (trace,)

        attack = pickle.dumps(Trap())
        with pytest.raises(CorruptValueError):
            PlainJsonSerializer(options={}).loads(attack)
        assert not trace.exists()
        # The control: what django-redis would use by itself does run it.
        from django_redis.serializers.pickle import PickleSerializer

        PickleSerializer(options={}).loads(attack)
        assert trace.exists()
