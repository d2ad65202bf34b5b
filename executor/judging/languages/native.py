"""Languages that are compiled to programs of the machine."""

from executor.engines.base import KitUse, Toolchain
from executor.judging.languages.language import Language

C = Language(
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


def _cpp(*, key: str, standard: str, judge0_names: tuple[str, ...]) -> Language:
    return Language(
        key=key,
        name=f"C++ ({standard})",
        main_name="main.cpp",
        toolchain=Toolchain(
            language=key,
            source_suffixes=(".cpp", ".cc", ".cxx"),
            compile_argv=("g++", f"-std={standard}", "-O2", "-pipe", "-o", "program", "{sources}"),
            run_argv=("./program",),
            memory_error_marks=(b"std::bad_alloc",),
            # A directory that is searched first, with <bits/stdc++.h> compiled ahead in it.
            kit=KitUse(part=key, recipe="c++ header", compile_words=("-I{kit}",)),
            debian_packages=("g++",),
            judge0_names=judge0_names,
        ),
    )


CPP17 = _cpp(key="cpp", standard="gnu++17", judge0_names=("C++ (GCC",))
# GCC before 10 knows this standard by another name, and half of it.
CPP20 = _cpp(key="cpp20", standard="gnu++20", judge0_names=("C++ (GCC 1",))

GO = Language(
    key="go",
    name="Go",
    main_name="main.go",
    toolchain=Toolchain(
        language="go",
        source_suffixes=(".go",),
        compile_argv=("go", "build", "-o", "program", "{sources}"),
        run_argv=("./program",),
        # No module, nothing fetched, one processor: a program is judged by the CPU time of all its threads, and must
        # not pay for a collector that runs beside it because a processor happens to be idle.
        environment={
            "GO111MODULE": "off",
            "GOCACHE": "/tmp/go-cache",  # noqa: S108  the box's own
            "GOPATH": "/tmp/go",  # noqa: S108
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "GOTELEMETRY": "off",
            "CGO_ENABLED": "0",
            "GOMAXPROCS": "1",
        },
        memory_error_marks=(b"runtime: out of memory", b"cannot allocate memory"),
        debian_packages=("golang-go",),
        judge0_names=("Go (",),
    ),
)

RUST = Language(
    key="rust",
    name="Rust (2021)",
    main_name="main.rs",
    toolchain=Toolchain(
        language="rust",
        source_suffixes=(".rs",),
        # Further files are modules of the main one, which names them.
        compile_argv=("rustc", "--edition=2021", "-Copt-level=2", "-o", "program", "{main}"),
        run_argv=("./program",),
        needs_proc_to_compile=True,
        memory_error_marks=(b"memory allocation of",),
        debian_packages=("rustc", "gcc", "libc6-dev"),
        # The edition came with 1.56.
        judge0_names=("Rust (1.8", "Rust (1.7", "Rust (1.6"),
    ),
)
