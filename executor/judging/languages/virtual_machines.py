"""Languages whose programs run on a virtual machine that bounds its heap itself."""

from pathlib import Path

from executor.engines.base import KitUse, SourceFile, Toolchain
from executor.judging.languages.language import Language

_MODIFIERS = r"(?:abstract\s+|final\s+|strictfp\s+|sealed\s+|non-sealed\s+)*"
JAVA = Language(
    key="java",
    name="Java",
    main_name="Main.java",
    # javac wants a public class in a file of its name.
    main_name_pattern=(
        rf"^\s*{_MODIFIERS}public\s+{_MODIFIERS}(?:class|enum|interface|record)\s+([A-Za-z_$][A-Za-z0-9_$]*)"
    ),
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
            # A class in a package goes into directories, as its package says, and not beside the others.
            "-d",
            ".",
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
            "-Xlog:disable",
            "-Xlog:all=warning:stderr",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dfile.encoding=UTF-8",
            "{stem}",
        ),
        is_managed_runtime=True,
        memory_overhead_mb=192,
        thread_stacks_mb=64 * 128,  # -Xss for each thread that a box allows
        memory_error_marks=(b"java.lang.OutOfMemoryError", b"Terminating due to java.lang.OutOfMemoryError"),
        # The classes that the compiler and most programs load, parsed and laid out ahead.
        kit=KitUse(
            part="java",
            recipe="java archives",
            compile_words=("-J-XX:SharedArchiveFile={kit}/javac.jsa",),
            run_words=("-XX:SharedArchiveFile={kit}/java.jsa",),
        ),
        debian_packages=("default-jdk-headless",),
        judge0_names=("Java (OpenJDK",),
    ),
)

_NODE_ARGV = ("node", "--max-old-space-size={memory_limit_mb}", "--stack-size=8000")
_NODE_MEMORY_MARKS = (b"JavaScript heap out of memory", b"Array buffer allocation failed")

JAVASCRIPT = Language(
    key="javascript",
    name="JavaScript (Node.js)",
    main_name="main.js",
    template_name="javascript.js",
    toolchain=Toolchain(
        language="javascript",
        source_suffixes=(".js",),
        run_argv=(*_NODE_ARGV, "{main}"),
        is_managed_runtime=True,
        memory_overhead_mb=192,
        memory_error_marks=_NODE_MEMORY_MARKS,
        debian_packages=("nodejs",),
        judge0_names=("JavaScript (Node.js",),
    ),
)

TYPESCRIPT = Language(
    key="typescript",
    name="TypeScript (Node.js)",
    main_name="main.ts",
    toolchain=Toolchain(
        language="typescript",
        source_suffixes=(".ts",),
        # As strict as the compiler is by itself. No browser: its globals do not exist where the program runs.
        compile_argv=(
            "tsc",
            "--target",
            "es2020",
            "--lib",
            "es2020",
            "--module",
            "commonjs",
            "--esModuleInterop",
            "--skipLibCheck",
            "--noEmitOnError",
            "--pretty",
            "false",
            "{sources}",
        ),
        run_argv=(*_NODE_ARGV, "{stem}.js"),
        is_managed_runtime=True,
        memory_overhead_mb=192,
        memory_error_marks=_NODE_MEMORY_MARKS,
        support_files=(SourceFile(name="node.d.ts", content=Path(__file__).with_name("node.d.ts").read_text()),),
        debian_packages=("node-typescript", "nodejs"),
        judge0_names=("TypeScript (",),
    ),
)
