"""How the parts of the sandbox's kit are made from the compilers of this machine."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from executor.engines.base import Toolchain
from executor.engines.sandbox.host import PROGRAM_DIRECTORIES, find_program

RUNNER_SOURCES = Path(__file__).parent / "native"
LIBRARY_SOURCES = ("program.c", "wire.c")
TRAINING_SOURCE = Path(__file__).parent / "training" / "Training.java"
_FORMAT = "1"  # to be raised when a recipe changes how it makes a part
_RUNNER_FLAGS = ("-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror")
_MAKE_S = 300
_HEADER = "bits/stdc++.h"


class PartMissing(Exception):
    """A part cannot be made on this machine; the message says why in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one part is made.

    `ingredients` are all words and texts of ours that decide what comes out. `make` fills an empty directory, has
    another one to work in, and gives the files of this machine that went into the part. It raises PartMissing.
    """

    part: str
    purpose: str
    ingredients: tuple[str, ...]
    make: Callable[[Path, Path], Iterable[str]]

    @property
    def digest(self) -> str:
        """Two recipes of one part with the same digest make the same, as long as the machine's files are the same."""
        return hashlib.sha256(json.dumps([_FORMAT, self.part, *self.ingredients]).encode()).hexdigest()


def recipes_for(toolchains: Iterable[Toolchain]) -> list[Recipe]:
    """The recipes of a whole kit: the runner, and what these toolchains use."""
    return [runner_recipe(), *(recipe for toolchain in toolchains if (recipe := recipe_of(toolchain)) is not None)]


def recipe_of(toolchain: Toolchain) -> Recipe | None:
    """The recipe of the part that a toolchain uses, or None."""
    return None if toolchain.kit is None else _RECIPES[toolchain.kit.recipe](toolchain)


def runner_recipe(directory: Path = RUNNER_SOURCES) -> Recipe:
    """The program `runner`, which is process 1 of a box, and the library `program.so`, by which its zygote confines."""
    texts = {path.name: path.read_text() for path in sorted(directory.glob("*.[ch]"))}

    def make(target: Path, scratch: Path) -> Iterable[str]:
        compiler = _program("cc", "gcc libc6-dev")
        if not texts:
            raise PartMissing(f"{directory.name} is missing from this installation")
        sources = [str(directory / name) for name in texts if name.endswith(".c")]
        shared = [str(directory / name) for name in LIBRARY_SOURCES]
        _run([compiler, *_RUNNER_FLAGS, "-static", "-o", str(target / "runner"), *sources], scratch)
        _run([compiler, *_RUNNER_FLAGS, "-shared", "-fPIC", "-o", str(target / "program.so"), *shared], scratch)
        library = _said([compiler, "-print-file-name=libc.a"], scratch)
        return [os.path.realpath(compiler), library]

    return Recipe(
        part="runner",
        purpose="a small program that runs all tests of a submission in one box",
        ingredients=(*_RUNNER_FLAGS, *LIBRARY_SOURCES, _real("cc"), *(word for item in texts.items() for word in item)),
        make=make,
    )


def _header_recipe(toolchain: Toolchain) -> Recipe:
    """<bits/stdc++.h> compiled ahead with the toolchain's own flags: GCC takes it only where they are the same."""
    name, *flags = _flags(toolchain.compile_argv)

    def make(target: Path, scratch: Path) -> Iterable[str]:
        compiler = _program(name, " ".join(toolchain.debian_packages))
        probe, precompiled = scratch / "probe.cpp", target / f"{_HEADER}.gch"
        probe.write_text(f"#include <{_HEADER}>\nint main() {{}}\n")
        made_of = _run([compiler, *flags, "-M", str(probe)], scratch).replace("\\\n", " ").split()[2:]
        header = next((path for path in made_of if path.endswith(_HEADER)), None)
        if header is None:
            raise PartMissing(f"{name} has no <{_HEADER}>")
        precompiled.parent.mkdir()
        # Where the compiled one does not fit, or was there before, GCC looks for what lies beside it.
        (target / _HEADER).write_text(f"#include_next <{_HEADER}>\n")
        # The header by its own path, which messages to students name.
        _run([compiler, *flags, "-x", "c++-header", header, "-o", str(precompiled)], scratch)
        said = _run([compiler, f"-I{target}", *flags, "-H", "-o", str(scratch / "probe"), str(probe)], scratch)
        if not any(line.startswith("! ") and line.endswith(".gch") for line in said.splitlines()):
            raise PartMissing(f"{name} does not take the header that it has compiled ahead")
        return [os.path.realpath(compiler), _said([compiler, "-print-prog-name=cc1plus"], scratch), *made_of]

    return Recipe(
        part=toolchain.language,
        purpose=f"the standard library's headers compiled ahead, {' '.join(flags)}",
        ingredients=(name, *flags, _real(name)),
        make=make,
    )


def _java_recipe(toolchain: Toolchain) -> Recipe:
    """Archives of the classes that the compiler and a program load, learned from one that uses what students use."""
    text = TRAINING_SOURCE.read_text()
    compiler_name, *compile_flags = _flags(toolchain.compile_argv)
    machine_name, *run_flags = (word.replace("{memory_limit_mb}", "256") for word in toolchain.run_argv[:-1])

    def make(target: Path, scratch: Path) -> Iterable[str]:
        hint = " ".join(toolchain.debian_packages)
        compiler, machine = _program(compiler_name, hint), _program(machine_name, hint)
        home = Path(os.path.realpath(machine)).parent.parent
        used = [home / "lib" / "modules", home / "lib" / "server" / "libjvm.so"]
        if not all(path.is_file() for path in used):
            raise PartMissing(f"{home} is not a Java whose classes can be archived")
        classes, lists = scratch / "classes", {name: scratch / f"{name}.list" for name in ("javac", "java")}
        list_flag = "-XX:DumpLoadedClassList="
        words = [*compile_flags, f"-J{list_flag}{lists['javac']}", "-d", str(classes), str(TRAINING_SOURCE)]
        _run([compiler, *words], scratch)
        words = [*run_flags, f"{list_flag}{lists['java']}", "-cp", str(classes), TRAINING_SOURCE.stem]
        _run([machine, *words], scratch)
        # Objects in an archive are laid out for one collector.
        collector = [word for word in run_flags if word.startswith("-XX:+Use")]
        for name, path in lists.items():
            # The classes of the training program itself are no other program's.
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(line for line in lines if TRAINING_SOURCE.stem not in line))
            words = [*collector, f"-XX:SharedClassListFile={path}", f"-XX:SharedArchiveFile={target / name}.jsa"]
            _run([machine, "-Xshare:dump", *words], scratch)
        return [str(path) for path in used]

    return Recipe(
        part=toolchain.language,
        purpose="archives of the classes that the compiler and most programs load",
        ingredients=(*toolchain.compile_argv, *toolchain.run_argv, _real(compiler_name), _real(machine_name), text),
        make=make,
    )


_RECIPES: Mapping[str, Callable[[Toolchain], Recipe]] = {"c++ header": _header_recipe, "java archives": _java_recipe}


def _flags(argv: Sequence[str]) -> list[str]:
    """The program and its flags: a compile line without the program's output and sources."""
    words = [word for word in argv if word != "{sources}"]
    if "-o" in words:
        at = words.index("-o")
        del words[at : at + 2]
    return words


def _real(name: str) -> str:
    """The file that a program's name stands for now, empty if none: an administrator may switch versions."""
    path = find_program(name)
    return "" if path is None else os.path.realpath(path)


def _program(name: str, packages: str) -> str:
    path = find_program(name)
    if path is None:
        raise PartMissing(f"{name} is missing: apt-get install {packages}")
    return path


def _said(argv: Sequence[str], scratch: Path) -> str:
    return os.path.realpath(_run(argv, scratch).strip())


def _run(argv: Sequence[str], scratch: Path) -> str:
    """Run a compiler with nothing of our environment; gives what it printed, on either output."""
    environment = {
        "PATH": ":".join(PROGRAM_DIRECTORIES),
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }
    try:
        done = subprocess.run(
            argv,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_MAKE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PartMissing(f"{argv[0]} was not done after {_MAKE_S} s") from error
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        said = " ".join(text.split())[:300]
        raise PartMissing(f"{argv[0]} failed with exit code {done.returncode}: {said}")
    return text
