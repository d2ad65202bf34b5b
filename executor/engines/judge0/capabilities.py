"""What one Judge0 offers: its limits, its switches and its languages, read from untrusted answers."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from executor.engines.base import EngineProtocolError, EngineRejected, Toolchain

MULTI_FILE_NAME = "Multi-file program"
DEFAULT_BATCH_SIZE = 20
LARGEST_BATCH_SIZE = 100
LARGEST_LIMIT = 2**40
# What an ordinary problem asks for; a server that allows less cannot be worked with.
USUAL_CPU_S, USUAL_WALL_S = 2.0, 5.0
USUAL_MEMORY_KIB, USUAL_FILE_SIZE_KIB = 256 * 1024, 1024
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9_./:+-]*)")


class LanguageMissing(EngineRejected):
    """This Judge0 cannot run the language; the message is a sentence that says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLanguage:
    """One of the server's languages, as listed: "Python (3.11.2)"."""

    id: int
    name: str

    @property
    def version(self) -> tuple[int, ...]:
        """The numbers in its name, for comparing: (3, 11, 2)."""
        return tuple(int(number[:9]) for number in re.findall(r"[0-9]+", self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCommands:
    """How the server itself compiles and runs a language: shell lines, or None."""

    compile_cmd: str | None
    run_cmd: str | None

    def program_for(self, argv: Sequence[str]) -> str:
        """Where the server keeps the program of an argv, such as `gcc`, as its own commands name it.

        Raises:
            LanguageMissing: they do not name it.
        """
        name = argv[0]
        if "/" in name:
            return name
        wanted = re.compile(re.escape(name) + r"[-.0-9]*")
        for command in (self.compile_cmd, self.run_cmd):
            for word in _words(command):
                if wanted.fullmatch(PurePosixPath(word).name):
                    return word
        raise LanguageMissing(f"This Judge0 does not say where its {name!r} is.")

    def environment(self) -> dict[str, str]:
        """The variables its run command sets first: a compiler of its own needs its own libraries."""
        variables: dict[str, str] = {}
        for word in _words(self.run_cmd):
            match = ASSIGNMENT.fullmatch(word)
            if match is None:
                break
            variables[match[1]] = match[2]
        return variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the server allows. Sizes in KiB, times in seconds."""

    max_cpu_time_s: float
    max_wall_time_s: float
    max_memory_kib: int
    max_stack_kib: int
    max_processes: int
    max_file_size_kib: int
    max_extract_kib: int
    batch_size: int
    allows_batches: bool
    allows_additional_files: bool
    is_in_maintenance: bool
    languages: tuple[ServerLanguage, ...]

    def language_for(self, toolchain: Toolchain) -> ServerLanguage:
        """The newest of the server's languages that begins like one of the toolchain's names, best name first.

        Raises:
            LanguageMissing.
        """
        for beginning in toolchain.judge0_names:
            matching = [language for language in self.languages if language.name.startswith(beginning)]
            if matching:
                return max(matching, key=lambda language: (language.version, language.id))
        wanted = " or ".join(repr(beginning) for beginning in toolchain.judge0_names) or "anything known"
        raise LanguageMissing(f"This Judge0 has no language whose name begins with {wanted}.")

    def too_low(self) -> list[str]:
        """The server's settings that allow less than an ordinary problem asks for, each with both figures."""
        wanted = (
            ("max_cpu_time_limit", "s", self.max_cpu_time_s, USUAL_CPU_S),
            ("max_wall_time_limit", "s", self.max_wall_time_s, USUAL_WALL_S),
            ("max_memory_limit", "KiB", self.max_memory_kib, USUAL_MEMORY_KIB),
            ("max_max_file_size", "KiB", self.max_file_size_kib, USUAL_FILE_SIZE_KIB),
        )
        return [
            f"{setting} is {allowed:g} {unit}, less than {usual:g}"
            for setting, unit, allowed, usual in wanted
            if allowed < usual
        ]

    @property
    def offers_multi_file(self) -> bool:
        """Whether programs may bring scripts and several files."""
        return self.allows_additional_files and any(item.name == MULTI_FILE_NAME for item in self.languages)

    def multi_file_language(self) -> ServerLanguage:
        """The server's language for programs that bring their own compile and run scripts.

        Raises:
            LanguageMissing.
        """
        if not self.allows_additional_files:
            raise LanguageMissing("This Judge0 takes single files only (ENABLE_ADDITIONAL_FILES is false).")
        for language in self.languages:
            if language.name == MULTI_FILE_NAME:
                return language
        raise LanguageMissing(f"This Judge0 lacks the language {MULTI_FILE_NAME!r}.")


def parse_capabilities(config: object, languages: object) -> Capabilities:
    """From the answers of /config_info and /languages.

    Raises:
        EngineProtocolError: they cannot be understood.
    """
    if not isinstance(config, dict):
        raise EngineProtocolError("Judge0's /config_info is not an object.")
    return Capabilities(
        max_cpu_time_s=_number(config, "max_cpu_time_limit"),
        max_wall_time_s=_number(config, "max_wall_time_limit"),
        max_memory_kib=_whole(config, "max_memory_limit"),
        max_stack_kib=_whole(config, "max_stack_limit"),
        max_processes=_whole(config, "max_max_processes_and_or_threads"),
        max_file_size_kib=_whole(config, "max_max_file_size"),
        max_extract_kib=_whole(config, "max_extract_size", default=10_240),
        batch_size=min(_whole(config, "max_submission_batch_size", default=DEFAULT_BATCH_SIZE), LARGEST_BATCH_SIZE),
        allows_batches=_switch(config, "enable_batched_submissions", default=True),
        allows_additional_files=_switch(config, "enable_additional_files", default=True),
        is_in_maintenance=_switch(config, "maintenance_mode", default=False),
        languages=_languages(languages),
    )


def parse_commands(answer: object) -> LanguageCommands:
    """From the answer of /languages/ID.

    Raises:
        EngineProtocolError: it cannot be understood.
    """
    if not isinstance(answer, dict):
        raise EngineProtocolError("Judge0's description of a language is not an object.")
    commands = [answer.get(name) for name in ("compile_cmd", "run_cmd")]
    if not all(command is None or isinstance(command, str) for command in commands):
        raise EngineProtocolError("Judge0's description of a language has commands of a wrong type.")
    return LanguageCommands(compile_cmd=commands[0], run_cmd=commands[1])


def _languages(answer: object) -> tuple[ServerLanguage, ...]:
    if not isinstance(answer, list):
        raise EngineProtocolError("Judge0's /languages is not a list.")
    languages = []
    for item in answer:
        if not isinstance(item, dict) or type(item.get("id")) is not int or not isinstance(item.get("name"), str):
            raise EngineProtocolError("Judge0's /languages has an entry without a whole id and a name.")
        languages.append(ServerLanguage(id=item["id"], name=item["name"]))
    return tuple(languages)


def _number(config: dict[str, object], name: str) -> float:
    value = config.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST_LIMIT:
        raise EngineProtocolError(f"Judge0's /config_info has no usable {name}.")
    return float(value)


def _whole(config: dict[str, object], name: str, *, default: int | None = None) -> int:
    if default is not None and name not in config:
        return default
    value = config.get(name)
    if type(value) is not int or not 0 < value <= LARGEST_LIMIT:
        raise EngineProtocolError(f"Judge0's /config_info has no usable {name}.")
    return value


def _switch(config: dict[str, object], name: str, *, default: bool) -> bool:
    value = config.get(name, default)
    if not isinstance(value, bool):
        raise EngineProtocolError(f"Judge0's /config_info has no usable {name}.")
    return value


def _words(command: str | None) -> Sequence[str]:
    try:
        return shlex.split(command or "")
    except ValueError:
        return ()
