"""The generated secret key: private, stable, and one for all processes that start together."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.environment import ConfigurationError
from config.secret_key import generated_secret_key


class TestGeneratedKey:
    def test_it_is_private_long_and_stable(self, tmp_path: Path) -> None:
        data_dir = tmp_path / "not" / "yet" / "there"
        key = generated_secret_key(data_dir)
        assert len(key) >= 50
        assert generated_secret_key(data_dir) == key
        assert (data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
        assert os.listdir(data_dir) == ["secret_key"]

    def test_it_differs_from_machine_to_machine(self, tmp_path: Path) -> None:
        assert generated_secret_key(tmp_path / "a") != generated_secret_key(tmp_path / "b")

    def test_processes_that_start_together_agree(self, tmp_path: Path) -> None:
        program = (
            "import sys; from pathlib import Path; from config.secret_key import generated_secret_key as key\n"
            "print(flush=True); sys.stdin.readline(); print(key(Path(sys.argv[1])))"
        )
        started = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)],
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(8)
        ]
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        keys = {process.communicate(timeout=30)[0].strip() for process in started}
        assert keys == {(tmp_path / "secret_key").read_text()}
        assert os.listdir(tmp_path) == ["secret_key"]

    def test_nobody_can_read_it_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Up to the moment of the link there is no file of that name, and then it is complete."""
        visible = []
        real_fsync = os.fsync

        def looking_fsync(descriptor: int) -> None:
            visible.append((tmp_path / "secret_key").exists())
            real_fsync(descriptor)

        monkeypatch.setattr(os, "fsync", looking_fsync)
        generated_secret_key(tmp_path)
        assert visible == [False]

    def test_a_key_that_came_first_wins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = "the key of a process that was faster"

        def late_link(source: Path, target: Path) -> None:
            Path(target).write_text(first)
            raise FileExistsError

        monkeypatch.setattr(os, "link", late_link)
        assert generated_secret_key(tmp_path) == first

    @pytest.mark.parametrize("content", [b"", b"cut", b"\xff" * 60], ids=["empty", "cut", "binary"])
    def test_a_damaged_file_is_refused_and_kept(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "secret_key").write_bytes(content)
        with pytest.raises(ConfigurationError, match="secret key"):
            generated_secret_key(tmp_path)
        assert (tmp_path / "secret_key").read_bytes() == content

    def test_a_place_that_cannot_be_written_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="ASSAY_DATA_DIR"):
            generated_secret_key(tmp_path / "file")
