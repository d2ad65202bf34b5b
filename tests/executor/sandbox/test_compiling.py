"""What compiling may do: fail with bounded output, see nothing of ours, and hand over regular files only."""

import dataclasses
import time

import pytest

from executor.engines.base import (
    RunRequest,
    SourceFile,
)
from executor.engines.sandbox import SandboxEngine, plans
from executor.engines.sandbox.box import BoxFile
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.host import Host
from executor.judging.languages import LANGUAGES
from tests.executor.sandbox.conftest import LIMITS, Run, only


class CompileTestCase:
    @pytest.mark.parametrize(
        ("language", "code"),
        [
            pytest.param("c", '#include "main.c"\n#include "main.c"', id="includes itself"),
            pytest.param("c", '#include "/dev/random"', id="includes a device"),
            pytest.param("c", "char a[1ul<<32]={1};int main(){}", id="a huge array"),
            pytest.param("cpp", "template<int N> struct A{typename A<N+1>::t x;}; A<0> a;", id="endless templates"),
            pytest.param("cpp", "\n".join(f"undeclared{n};" for n in range(9000)), id="an error a line"),
        ],
    )
    def test_a_bomb_fails_with_bounded_output(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, language: str, code: str
    ) -> None:
        monkeypatch.setattr(plans, "COMPILE_WALL_MS", 5000)
        started = time.monotonic()
        report = run(language, code)
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert 0 < len(report.compilation.output) <= 66_000
        assert time.monotonic() - started < 15

    def test_a_compiler_sees_no_file_of_ours(self, run: Run) -> None:
        report = run("c", f'#include "{__file__}"\nint main(){{}}')
        assert report.compilation is not None
        assert not report.compilation.succeeded
        assert "No such file" in report.compilation.output

    def test_only_regular_files_are_handed_over(self, engine: SandboxEngine) -> None:
        code = (
            "import os, socket\nopen('kept', 'w').write('x'); os.chmod('kept', 0o755)\nopen('closed', 'w'); "
            "os.chmod('closed', 0)\nos.symlink('/usr/bin/python3', 'link'); os.mkfifo('fifo'); os.mkdir('directory')\n"
            "os.symlink('kept', 'second-link')\n"
        )
        request = RunRequest(
            toolchain=LANGUAGES["python"].toolchain,
            files=(SourceFile(name="main.py", content=code),),
            inputs=(),
            limits=LIMITS,
        )
        plan = dataclasses.replace(plans.run_plan(request, ()), runs=1, artefacts_bytes=1000, artefacts_count=5)
        with engine.open_box(Host.found(uid_for_root=DEFAULT_UID), plan) as opened:
            left = opened.run(b"", wall_ms=5000, output_limit_bytes=1000)
        assert left.wait_status == 0, left
        assert left.artefacts == (BoxFile(name="kept", content=b"x", mode=0o555),)

    def test_too_much_is_handed_over_as_nothing(self, engine: SandboxEngine) -> None:
        code = "for n in range(4): open(f'file{n}', 'w').write('x' * 400)"
        request = RunRequest(
            toolchain=LANGUAGES["python"].toolchain,
            files=(SourceFile(name="main.py", content=code),),
            inputs=(),
            limits=LIMITS,
        )
        plan = dataclasses.replace(plans.run_plan(request, ()), runs=1, artefacts_bytes=1000, artefacts_count=5)
        with engine.open_box(Host.found(uid_for_root=DEFAULT_UID), plan) as opened:
            assert opened.run(b"", wall_ms=5000, output_limit_bytes=1000).artefacts == ()

    def test_data_files_reach_a_compiled_program_and_its_sources_do_not(self, run: Run) -> None:
        code = (
            '#include <stdio.h>\nint main(){char s[9]="";FILE*f=fopen("data.txt","r");fgets(s,9,f);'
            'printf("%s %d",s,fopen("main.c","r")==0);}'
        )
        assert only(run("c", code, files={"data.txt": "given"})).stdout == b"given 1"
