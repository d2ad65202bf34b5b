"""What is sent: the right language, the asked limits, the whole program, and nothing that tells a right answer."""

import base64
import io
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from executor.engines.base import EngineRejected, Limits, RunRequest, SourceFile, Toolchain
from executor.engines.judge0.capabilities import (
    Capabilities,
    LanguageCommands,
    LanguageMissing,
    ServerLanguage,
    parse_capabilities,
)
from executor.engines.judge0.program import Program, prepare_program
from tests.executor.judge0.support import (
    COMMANDS,
    CPP,
    JAVA,
    JAVASCRIPT,
    LIMITS,
    PYTHON,
    SERVER,
    C,
    request_of,
)

CAPABILITIES = parse_capabilities(SERVER["config_info"], SERVER["languages"])
# Fixed here, so that what is asserted does not move with the flags that languages.py chooses.
PLAIN = replace(PYTHON, run_argv=("python3", "-u", "{main}"), environment={})
COMPILED = replace(C, compile_argv=("gcc", "-O2", "-o", "program", "{sources}", "-lm"), run_argv=("./program",))
MANAGED = replace(
    JAVA, compile_argv=("javac", "{sources}"), run_argv=("java", "-Xmx{memory_limit_mb}m", "{stem}"), environment={}
)
ALLOWED_FIELDS = {
    "language_id", "source_code", "additional_files", "stdin", "cpu_time_limit", "wall_time_limit", "memory_limit",
    "stack_limit", "max_file_size", "max_processes_and_or_threads", "number_of_runs", "redirect_stderr_to_stdout",
    "enable_network",
}  # fmt: skip


def commands_of(language: ServerLanguage) -> LanguageCommands:
    if language.id == 71:
        return LanguageCommands(compile_cmd=None, run_cmd=SERVER["language_71"]["run_cmd"])
    compile_cmd, run_cmd = COMMANDS[language.id]
    return LanguageCommands(compile_cmd=compile_cmd, run_cmd=run_cmd)


def prepared(request: RunRequest, capabilities: Capabilities = CAPABILITIES) -> Program:
    return prepare_program(request, capabilities, commands_of)


def unpacked(program: Program) -> dict[str, str]:
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(str(program.submission["additional_files"]))))
    return {name: archive.read(name).decode() for name in archive.namelist()}


class LanguageTestCase:
    @pytest.mark.parametrize(
        ("toolchain", "language_id"), [(PYTHON, 71), (C, 50), (CPP, 54), (JAVA, 62), (JAVASCRIPT, 63)]
    )
    def test_each_language_is_found_by_its_name(self, toolchain: Toolchain, language_id: int) -> None:
        assert CAPABILITIES.language_for(toolchain).id == language_id

    def test_the_newest_version_is_taken_by_number_not_by_letter(self) -> None:
        names = ["Python (3.8.1)", "Python (3.11.2)", "Python (3.9.9)", "Python (2.7.17)", "Python for ML (3.99)"]
        languages = tuple(ServerLanguage(id=number, name=name) for number, name in enumerate(names))
        assert replace(CAPABILITIES, languages=languages).language_for(PYTHON).id == 1

    def test_a_missing_language_is_named(self) -> None:
        with pytest.raises(LanguageMissing, match=r"Python \(3"):
            prepared(request_of(b""), replace(CAPABILITIES, languages=()))

    def test_a_server_that_does_not_say_where_its_compiler_is(self) -> None:
        unknown = LanguageCommands(compile_cmd="/usr/bin/clang %s main.c", run_cmd="./a.out")
        with pytest.raises(LanguageMissing, match="'gcc'"):
            prepare_program(request_of(b"", toolchain=C, files={"main.c": ""}), CAPABILITIES, lambda _: unknown)


class SubmissionTestCase:
    def test_a_lone_file_of_an_interpreter_that_needs_nothing_goes_as_source_code(self) -> None:
        submission = prepared(request_of(b"", toolchain=PLAIN)).with_stdin(b"caf\xc3\xa9\xff")
        assert submission["language_id"] == 71
        assert base64.b64decode(str(submission["source_code"])) == b"print(input())"
        assert base64.b64decode(str(submission["stdin"])) == b"caf\xc3\xa9\xff"
        assert "additional_files" not in submission

    def test_one_that_an_environment_is_set_for_brings_it_along_where_it_can(self) -> None:
        toolchain = replace(PLAIN, environment={"PYTHONHASHSEED": "0", "GREETING": "it's $HOME"})
        request = request_of(b"", toolchain=toolchain)
        script = unpacked(prepared(request))["run"].splitlines()
        assert script[2:4] == ["export PYTHONHASHSEED=0", """export GREETING='it'"'"'s $HOME'"""]
        denying = replace(CAPABILITIES, allows_additional_files=False)
        assert "source_code" in prepared(request, denying).submission

    def test_limits_reach_judge0_in_its_units(self) -> None:
        limits = Limits(time_limit_ms=1500, wall_limit_ms=4500, memory_limit_mb=64, output_limit_kib=512)
        submission = prepared(request_of(b"", limits=limits)).submission
        assert submission["cpu_time_limit"] == 1.5
        assert submission["wall_time_limit"] == 4.5
        assert submission["memory_limit"] == 65_536
        assert submission["stack_limit"] == 65_536
        assert submission["max_file_size"] == 513

    def test_network_stderr_and_runs_are_stated_and_not_left_to_the_server(self) -> None:
        submission = prepared(request_of(b"")).submission
        assert submission["enable_network"] is False
        assert submission["redirect_stderr_to_stdout"] is False
        assert submission["number_of_runs"] == 1

    @pytest.mark.parametrize(
        ("toolchain", "name"),
        [(PYTHON, "main.py"), (C, "main.c"), (CPP, "main.cpp"), (JAVA, "Main.java"), (JAVASCRIPT, "main.js")],
    )
    def test_no_field_but_the_listed_ones_is_ever_sent(self, toolchain: Toolchain, name: str) -> None:
        """Law 1: no expected output; and neither a callback nor a field that a shell reads."""
        request = request_of(b"", toolchain=toolchain, files={name: "x", "other.txt": "y"}, limits=LIMITS)
        assert set(prepared(request).with_stdin(b"")) <= ALLOWED_FIELDS

    def test_a_managed_runtime_gets_its_overhead_and_its_threads(self) -> None:
        toolchain = replace(JAVA, memory_overhead_mb=192)
        request = request_of(b"", toolchain=toolchain, files={"Main.java": "class Main {}"})
        submission = prepared(request).submission
        assert submission["memory_limit"] == (125 + 192) * 1024
        assert submission["max_processes_and_or_threads"] == 120

    def test_limits_below_judge0s_least_are_raised_and_held_afterwards(self) -> None:
        limits = Limits(time_limit_ms=100, wall_limit_ms=300, memory_limit_mb=1)
        program = prepared(request_of(b"", limits=limits))
        assert (program.submission["wall_time_limit"], program.submission["memory_limit"]) == (1.0, 2048)
        assert (program.wall_limit_ms, program.memory_limit_kib) == (300, 1024)

    @pytest.mark.parametrize(
        ("limits", "setting"),
        [
            (replace(LIMITS, time_limit_ms=15_001), "max_cpu_time_limit"),
            (replace(LIMITS, wall_limit_ms=20_001), "max_wall_time_limit"),
            (replace(LIMITS, memory_limit_mb=550), "max_memory_limit"),
            (replace(LIMITS, output_limit_kib=4097), "max_max_file_size"),
            (replace(LIMITS, time_limit_ms=0), "above zero"),
            (replace(LIMITS, wall_limit_ms=-1), "above zero"),
            (replace(LIMITS, memory_limit_mb=0), "above zero"),
            (replace(LIMITS, output_limit_kib=0), "above zero"),
        ],
    )
    def test_a_limit_the_server_does_not_grant_is_refused_and_not_lowered(self, limits: Limits, setting: str) -> None:
        with pytest.raises(EngineRejected, match=setting):
            prepared(request_of(b"", limits=limits))

    def test_the_servers_greatest_limits_are_granted(self) -> None:
        limits = Limits(time_limit_ms=15_000, wall_limit_ms=20_000, memory_limit_mb=500, output_limit_kib=4096)
        submission = prepared(request_of(b"", limits=limits)).submission
        assert (submission["memory_limit"], submission["max_file_size"]) == (512_000, 4096)

    @pytest.mark.parametrize(
        "files",
        [
            (),
            (SourceFile(name="../main.py", content="x"),),
            (SourceFile(name="-o.py", content="x"),),
            (SourceFile(name="a b.py", content="x"),),
            (SourceFile(name="main.py\n", content="x"),),
            (SourceFile(name="", content="x"),),
            (SourceFile(name="main.py", content="\ud800"),),
            (SourceFile(name="main.py", content="x"), SourceFile(name="main.py", content="y")),
        ],
    )
    def test_a_program_that_cannot_be_sent_is_refused(self, files: tuple[SourceFile, ...]) -> None:
        with pytest.raises(EngineRejected):
            prepared(replace(request_of(b""), files=files))


class MultiFileTestCase:
    def test_an_empty_program_is_sent_where_blank_source_code_would_be_refused(self) -> None:
        program = prepared(request_of(b"", files={"main.py": " \n"}))
        assert program.submission["language_id"] == 89
        assert unpacked(program)["program/main.py"] == " \n"

    def test_several_python_files_keep_their_names(self) -> None:
        files = {"main.py": "import script", "script.py": "x = 1"}
        program = prepared(request_of(b"", toolchain=PLAIN, files=files))
        assert program.submission["language_id"] == 89
        assert "source_code" not in program.submission
        assert unpacked(program) == {
            "program/main.py": "import script",
            "program/script.py": "x = 1",
            "run": "#!/bin/bash\ncd program || exit 126\nexec /usr/bin/python3 -u main.py\n",
        }

    def test_c_is_compiled_with_the_toolchains_own_flags_and_all_its_sources(self) -> None:
        files = {"main.c": "int main(void){}", "list.c": "", "list.h": ""}
        scripts = unpacked(prepared(request_of(b"", toolchain=COMPILED, files=files)))
        assert scripts["compile"].splitlines()[-1] == "exec /usr/bin/gcc -O2 -o program main.c list.c -lm"
        assert scripts["run"].splitlines()[-1] == "exec ./program"

    def test_the_compilers_own_libraries_are_found_at_run_time(self) -> None:
        scripts = unpacked(prepared(request_of(b"", toolchain=CPP, files={"main.cpp": ""})))
        assert "export LD_LIBRARY_PATH=/opt/gcc/lib64" in scripts["run"].splitlines()

    def test_java_runs_the_class_its_main_file_names(self) -> None:
        files = {"Solution.java": "public class Solution {}", "Helper.java": "class Helper {}"}
        scripts = unpacked(prepared(request_of(b"", toolchain=MANAGED, files=files)))
        assert scripts["compile"].splitlines()[-1] == "exec /usr/bin/javac Solution.java Helper.java"
        assert scripts["run"].splitlines()[-1] == "exec /usr/bin/java -Xmx125m Solution"

    def test_a_students_file_cannot_take_the_scripts_place(self) -> None:
        files = {"main.py": "", "run": "touch stolen", "compile": "touch stolen", "run.sh": "touch stolen"}
        entries = unpacked(prepared(request_of(b"", files=files)))
        assert "stolen" not in entries["run"]
        assert "compile" not in entries
        assert "run.sh" not in entries

    def test_the_archive_of_a_program_is_always_the_same_with_the_run_script_last(self) -> None:
        request = request_of(b"", toolchain=C, files={"main.c": "", "b.c": ""})
        first, second = prepared(request), prepared(request)
        assert first.submission == second.submission
        assert list(unpacked(first))[-1] == "run"

    @pytest.mark.parametrize(
        ("capabilities", "reason"),
        [
            (parse_capabilities(SERVER["config_info_denying"], SERVER["languages"]), "ENABLE_ADDITIONAL_FILES"),
            (
                replace(CAPABILITIES, languages=tuple(item for item in CAPABILITIES.languages if item.id != 89)),
                "Multi-file program",
            ),
        ],
        ids=["files denied", "language not there"],
    )
    def test_a_server_without_multi_file_programs_refuses_them_by_name(
        self, capabilities: Capabilities, reason: str
    ) -> None:
        assert prepared(request_of(b""), capabilities).submission["language_id"] == 71
        with pytest.raises(EngineRejected, match=reason):
            prepared(request_of(b"", toolchain=C, files={"main.c": ""}), capabilities)

    def test_more_than_the_server_unpacks_is_refused(self) -> None:
        files = {"main.py": "", "data.py": "x" * (10_240 * 1024 + 1)}
        with pytest.raises(EngineRejected, match="max_extract_size"):
            prepared(request_of(b"", files=files))

    def test_the_scripts_do_what_they_say(self, tmp_path: Path) -> None:
        """Unpacked and run by a real bash, with stand-ins for the server's compiler and nothing else made up."""
        compiler = tmp_path / "gcc"
        compiler.write_text(
            '#!/bin/bash\nprintf \'#!/bin/bash\\necho ran with "%s"\\nkill -SEGV $$\\n\' "$*" >program\n'
            "chmod +x program\n"
        )
        compiler.chmod(0o755)
        commands = LanguageCommands(compile_cmd=f"{compiler} %s main.c", run_cmd="./a.out")
        request = request_of(b"", toolchain=COMPILED, files={"main.c": "", "b.c": ""})
        program = prepare_program(request, CAPABILITIES, lambda _: commands)
        archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(str(program.submission["additional_files"]))))
        box = tmp_path / "box"
        archive.extractall(box)
        subprocess.run(["/bin/bash", "compile"], cwd=box, check=True)
        done = subprocess.run(["/bin/bash", "run"], cwd=box, capture_output=True, text=True, check=False)
        assert done.stdout == "ran with -O2 -o program main.c b.c -lm\n"
        # `exec`: the signal is the program's own, and no shell above turned it into an exit code.
        assert done.returncode == -11
        assert done.stderr == ""
