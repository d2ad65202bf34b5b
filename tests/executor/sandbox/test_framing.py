"""The framing gives back what was put in, and refuses what it did not make."""

import pytest

from executor.engines.sandbox.inbox.framing import pack, unpack


class FramingTestCase:
    @pytest.mark.parametrize("fields", [[], [b""], [b"a", b"", b"3:abc"], [bytes(range(256)) * 100]])
    def test_what_is_packed_is_unpacked(self, fields: list[bytes]) -> None:
        assert list(unpack(pack(*fields))) == fields

    @pytest.mark.parametrize("data", [b"x", b"3:ab", b":a", b"-1:a", b"99999999999999999999999:a", b"1:a2", b"1"])
    def test_anything_else_is_refused(self, data: bytes) -> None:
        with pytest.raises(ValueError, match="packed message"):
            list(unpack(data))
