"""Languages whose programs are read by an interpreter, and so have nothing to compile: a syntax error is of the run."""

from executor.engines.base import Toolchain
from executor.judging.languages.language import Language

PYTHON = Language(
    key="python",
    name="Python 3",
    main_name="main.py",
    template_name="python.py",
    toolchain=Toolchain(
        language="python",
        source_suffixes=(".py",),
        # Not -I: it would keep the program's own directory, with its other files, off the import path.
        run_argv=("python3", "-s", "-B", "{main}"),
        zygote_argv=("python3", "-s", "-B"),
        # The same program on the same input gives the same output: the order of sets must not be a matter of luck.
        environment={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
        memory_error_marks=(b"MemoryError",),
        debian_packages=("python3",),
        judge0_names=("Python (3",),
    ),
)

RUBY = Language(
    key="ruby",
    name="Ruby",
    main_name="main.rb",
    toolchain=Toolchain(
        language="ruby",
        source_suffixes=(".rb",),
        run_argv=("ruby", "{main}"),
        # Recursion beyond the 10,000 calls that Ruby allows by itself.
        environment={"RUBY_THREAD_VM_STACK_SIZE": "16777216"},
        memory_error_marks=(b"NoMemoryError",),
        debian_packages=("ruby",),
        judge0_names=("Ruby (",),
    ),
)

PHP = Language(
    key="php",
    name="PHP",
    main_name="main.php",
    toolchain=Toolchain(
        language="php",
        source_suffixes=(".php",),
        # By itself PHP tells of errors on the standard output, among the answers.
        run_argv=("php", "-d", "memory_limit={memory_limit_mb}M", "-d", "display_errors=stderr", "{main}"),
        memory_error_marks=(b"Allowed memory size of", b"Out of memory"),
        debian_packages=("php-cli",),
        judge0_names=("PHP (",),
    ),
)

BASH = Language(
    key="bash",
    name="Bash",
    main_name="main.sh",
    toolchain=Toolchain(
        language="bash",
        source_suffixes=(".sh",),
        run_argv=("bash", "{main}"),
        needs_processes=True,
        needs_proc_to_run=True,  # <(...) goes through /dev/fd
        memory_error_marks=(b"cannot allocate",),
        debian_packages=("bash", "coreutils"),
        judge0_names=("Bash (",),
    ),
)

SQL = Language(
    key="sql",
    name="SQL (SQLite)",
    main_name="main.sql",
    toolchain=Toolchain(
        language="sql",
        source_suffixes=(".sql",),
        # The test's input is the author's: it fills an empty database, and may set how rows are shown. The student's
        # script comes after it as an argument that begins with a line break: so a dot command in it is a syntax error,
        # and the safe mode refuses what reaches beyond the database (ATTACH, extensions, files, an editor).
        run_argv=(
            *("sqlite3", "-batch", "-bail"),
            *("-cmd", ".read /dev/stdin", "-safe", ":memory:", "\n{main_text}"),
        ),
        needs_proc_to_run=True,  # /dev/stdin is a link into it
        memory_error_marks=(b"out of memory",),
        debian_packages=("sqlite3",),
        # None: the SQLite of a usual Judge0 is older than the safe mode.
    ),
)
