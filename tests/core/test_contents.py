"""Files by the hash of their content: whole or not there, once each, and removed only by who holds the lock."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from core import contents
from core.contents import content_path, content_remove, content_write, contents_locked
from tests.parallel import at_once

DATA = b"\x89PNG and the rest"


@pytest.fixture(autouse=True)
def media(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.name != ".lock"]


class TestContents:
    def test_the_hash_is_the_name(self, media: Path) -> None:
        sha256 = content_write(DATA)
        assert sha256 == hashlib.sha256(DATA).hexdigest()
        assert content_path(sha256).read_bytes() == DATA
        assert files_below(media) == [content_path(sha256)]

    def test_the_same_content_is_kept_once(self, media: Path) -> None:
        first = content_write(DATA)
        written_at = content_path(first).stat().st_mtime_ns
        assert content_write(DATA) == first
        assert len(files_below(media)) == 1
        assert content_path(first).stat().st_mtime_ns == written_at

    def test_it_is_synced_before_it_has_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        acts: list[str] = []

        def noted(name: str) -> None:
            real = getattr(os, name)

            def act(*arguments: Any) -> None:
                acts.append(name)
                real(*arguments)

            monkeypatch.setattr(contents.os, name, act)

        noted("fsync")
        noted("replace")
        content_write(DATA)
        # The file, its name, and then the directory.
        assert acts == ["fsync", "replace", "fsync"]

    @pytest.mark.parametrize("failing", ["fsync", "replace"])
    def test_what_fails_leaves_nothing(self, media: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
        def fail(*arguments: object) -> None:
            raise OSError("disk full")

        with monkeypatch.context() as patched:
            patched.setattr(contents.os, failing, fail)
            with pytest.raises(OSError, match="disk full"):
                content_write(DATA)
        assert files_below(media) == []
        assert content_path(content_write(DATA)).read_bytes() == DATA

    def test_removing_twice_does_no_harm(self, media: Path) -> None:
        sha256 = content_write(DATA)
        content_remove(sha256)
        content_remove(sha256)
        assert files_below(media) == []

    def test_many_at_once_write_one(self, media: Path) -> None:
        assert {*at_once([lambda: content_write(DATA)] * 8)} == {hashlib.sha256(DATA).hexdigest()}
        assert len(files_below(media)) == 1


class TestLock:
    def overlaps(self) -> int:
        """How often one came in while another was inside."""
        inside: list[int] = []
        seen: list[int] = []

        def act() -> None:
            with contents_locked():
                seen.append(len(inside))
                inside.append(1)
                content_write(os.urandom(8))
                inside.pop()

        at_once([act] * 8)
        return sum(1 for others in seen if others)

    def test_one_at_a_time(self) -> None:
        assert self.overlaps() == 0

    def test_control_without_it_they_overlap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contents.fcntl, "flock", lambda *arguments: None)
        assert any(self.overlaps() for _ in range(50))
