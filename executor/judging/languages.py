"""The languages students may use, as data. One declaration each; engines read their own part of the toolchain."""

from collections.abc import Mapping
from dataclasses import dataclass

from executor.engines.base import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language as people see it. `main_name` is the file name that a submission's single source gets."""

    key: str
    name: str
    main_name: str
    toolchain: Toolchain
    # The template that wraps a function problem, in executor/judging/templates/; None: stdio problems only.
    template_name: str | None = None
    # Where the code itself demands a file name: the first group is its stem.
    main_name_pattern: str | None = None


_PYTHON = Language(
    key="python",
    name="Python 3",
    main_name="main.py",
    template_name="python.py",
    toolchain=Toolchain(
        language="python",
        source_suffixes=(".py",),
        # Not -I: it would keep the program's own directory, with its other files, off the import path.
        run_argv=("python3", "-s", "-B", "{main}"),
        # The same program on the same input gives the same output: the order of sets must not be a matter of luck.
        environment={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
        memory_error_marks=(b"MemoryError",),
        debian_packages=("python3",),
        judge0_names=("Python (3",),
    ),
)
_C = Language(
    key="c",
    name="C (gnu17)",
    main_name="main.c",
    toolchain=Toolchain(
        language="c",
        source_suffixes=(".c",),
        compile_argv=("gcc", "-std=gnu17", "-O2", "-pipe", "-o", "program", "{sources}", "-lm"),
        run_argv=("./program",),
        debian_packages=("gcc", "libc6-dev"),
        judge0_names=("C (GCC",),
    ),
)
_CPP = Language(
    key="cpp",
    name="C++ (gnu++17)",
    main_name="main.cpp",
    toolchain=Toolchain(
        language="cpp",
        source_suffixes=(".cpp", ".cc", ".cxx"),
        compile_argv=("g++", "-std=gnu++17", "-O2", "-pipe", "-o", "program", "{sources}"),
        run_argv=("./program",),
        memory_error_marks=(b"std::bad_alloc",),
        debian_packages=("g++",),
        judge0_names=("C++ (GCC",),
    ),
)
_JAVA = Language(
    key="java",
    name="Java",
    main_name="Main.java",
    # javac wants a public class in a file of its name.
    main_name_pattern=r"^\s*public\s+(?:final\s+|abstract\s+)*class\s+([A-Za-z_][A-Za-z0-9_]*)",
    toolchain=Toolchain(
        language="java",
        source_suffixes=(".java",),
        compile_argv=(
            "javac",
            "-J-Xmx256m",
            "-J-XX:TieredStopAtLevel=1",
            "-J-XX:+UseSerialGC",
            "-J-XX:-UsePerfData",
            "-encoding",
            "UTF-8",
            "{sources}",
        ),
        run_argv=(
            "java",
            "-Xmx{memory_limit_mb}m",
            "-Xss64m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-XX:-UsePerfData",
            # What the machine itself has to say, such as "Terminating due to ...", is not the program's output.
            "-XX:+DisplayVMOutputToStderr",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dfile.encoding=UTF-8",
            "{stem}",
        ),
        is_managed_runtime=True,
        memory_overhead_mb=192,
        memory_error_marks=(b"java.lang.OutOfMemoryError", b"Terminating due to java.lang.OutOfMemoryError"),
        debian_packages=("default-jdk-headless",),
        judge0_names=("Java (OpenJDK",),
    ),
)
_JAVASCRIPT = Language(
    key="javascript",
    name="JavaScript (Node.js)",
    main_name="main.js",
    template_name="javascript.js",
    toolchain=Toolchain(
        language="javascript",
        source_suffixes=(".js",),
        run_argv=("node", "--max-old-space-size={memory_limit_mb}", "--stack-size=8000", "{main}"),
        is_managed_runtime=True,
        memory_overhead_mb=192,
        memory_error_marks=(b"JavaScript heap out of memory", b"Array buffer allocation failed"),
        debian_packages=("nodejs",),
        judge0_names=("JavaScript (Node.js",),
    ),
)

LANGUAGES: Mapping[str, Language] = {language.key: language for language in (_PYTHON, _C, _CPP, _JAVA, _JAVASCRIPT)}
