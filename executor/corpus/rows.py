"""Reading a corpus: each row becomes plans that the judging service runs like any student's submission."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES, Language
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.judging.values import JSON, PYTHON_LITERAL
from executor.judging.verdicts import Verdict
from executor.services.sources import main_name_for

VERDICTS: Mapping[str, Verdict] = {
    "AC": Verdict.ACCEPTED,
    "WA": Verdict.WRONG_ANSWER,
    "TLE": Verdict.TIME_LIMIT_EXCEEDED,
    "MLE": Verdict.MEMORY_LIMIT_EXCEEDED,
    "OLE": Verdict.OUTPUT_LIMIT_EXCEEDED,
    "RE": Verdict.RUNTIME_ERROR,
    "CE": Verdict.COMPILATION_ERROR,
}
# How a `script` row's tests extend the program: each with code of its own after it.
SCRIPT_TEMPLATE = "{{{ code }}}\n{{{ postlude }}}\n"
_TOKEN_TOLERANCES = {
    "float_tolerance": ("absolute", "relative"),
    "float_absolute_tolerance": ("absolute",),
    "float_relative_tolerance": ("relative",),
}
_CHECKERS: Mapping[str, CheckerSpec] = {
    "exact": CheckerSpec(name="exact"),
    "lines": CheckerSpec(name="lines"),
    "trailing-ws": CheckerSpec(name="lines"),
    "sorted": CheckerSpec(name="unordered"),
    "easy": CheckerSpec(name="unordered", options={"unit": "letters"}),
    "py_eq": CheckerSpec(name="json"),
}


class CorpusError(ValueError):
    """The file is no corpus; the message names the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCase:
    """One output to compare, with no program behind it."""

    checker: CheckerSpec
    output: bytes
    expected: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusCase:
    """One row. It has plans to run one after the other, or outputs to compare.

    Where it has neither, `skipped` says why it is left out, or `missing` which file should have been there.
    `is_malicious`: its program attacks the judge.
    """

    id: str
    accepted_verdicts: tuple[Verdict, ...]
    plans: tuple[JudgingPlan, ...] = ()
    outputs: tuple[OutputCase, ...] = ()
    skipped: str = ""
    missing: str = ""
    is_malicious: bool = False


def read_corpus(path: Path, *, programs: Path | None = None) -> list[CorpusCase]:
    """All rows of a JSON-lines file; where a row has no program text, that of its file in the folder `programs`.

    Raises:
        CorpusError: a line is not a row, or its program is no UTF-8.
        OSError: a file cannot be read.
    """
    return list(_cases(path, programs))


def program_name(row_id: str, language: Language) -> str:
    """The name of a row's file in a folder of programs: its id, which often ends in a suffix of the language already.

    Slashes turn into two underscores, so that no id leads out of the folder.
    """
    name = row_id.replace("/", "__")
    return name if name.endswith(language.toolchain.source_suffixes) else name + PurePath(language.main_name).suffix


def checker_spec(text: str) -> CheckerSpec:
    """A corpus' own notation: `tokens`, `tokens,FLAG…`, `float:EPS`, `exact`, `trailing-ws`, `py_eq` and so on.

    `tokens` alone minds case; with flags it is the ICPC default validator, which does not unless told to.

    Raises:
        CorpusError: the notation is not known.
    """
    if text.startswith("float:"):
        tolerance = float(text.removeprefix("float:"))
        return CheckerSpec(name="float", options={"absolute": tolerance, "relative": tolerance})
    name, *flags = text.split(",")
    if name == "tokens":
        return CheckerSpec(name="tokens", options=_token_options(flags))
    if flags or name not in _CHECKERS:
        raise CorpusError(f"unknown checker {text!r}")
    return _CHECKERS[name]


def _token_options(flags: list[str]) -> dict[str, Any]:
    if not flags:
        return {}
    options: dict[str, Any] = {"case_sensitive": "case_sensitive" in flags}
    for flag in flags:
        name, _, value = flag.partition(":")
        if name == "space_change_sensitive":
            options["space_sensitive"] = True
        elif name in _TOKEN_TOLERANCES:
            options.update(dict.fromkeys(_TOKEN_TOLERANCES[name], float(value)))
        elif name != "case_sensitive":
            raise CorpusError(f"unknown flag {flag!r} of the checker tokens")
    return options


def _cases(path: Path, programs: Path | None) -> Iterator[CorpusCase]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield _case(json.loads(line), programs)
            except (KeyError, TypeError, ValueError) as error:
                raise CorpusError(f"{path.name}, line {number}: {type(error).__name__}: {error}") from error


def _case(row: Mapping[str, Any], programs: Path | None) -> CorpusCase:
    accepted = tuple(VERDICTS[short] for short in row["accept_verdicts"])
    kind = row["kind"]
    if kind == "checker":
        spec = checker_spec(row["checker"])
        outputs = tuple(
            OutputCase(checker=spec, output=test["output"].encode(), expected=test["expected"]) for test in row["tests"]
        )
        return CorpusCase(id=row["id"], accepted_verdicts=accepted, outputs=outputs)
    is_by_reference = row.get("program") is None
    if is_by_reference and programs is None:
        return CorpusCase(id=row["id"], accepted_verdicts=accepted, skipped="the row names its program by reference")
    if row["language"] not in LANGUAGES:
        return CorpusCase(id=row["id"], accepted_verdicts=accepted, skipped=f"no language {row['language']!r} here")
    if is_by_reference and programs is not None:
        file = programs / program_name(row["id"], LANGUAGES[row["language"]])
        if not file.is_file():
            return CorpusCase(id=row["id"], accepted_verdicts=accepted, missing=f"there is no program {file}")
        row = {**row, "program": file.read_text(encoding="utf-8")}
    makers = {"function": _function_plans, "stdio": _stdio_plans, "script": _script_plans}
    return CorpusCase(
        id=row["id"], accepted_verdicts=accepted, plans=makers[kind](row), is_malicious=bool(row.get("malicious"))
    )


def _function_plans(row: Mapping[str, Any]) -> tuple[JudgingPlan, ...]:
    encoding = row.get("value_encoding", JSON)
    as_text = str if encoding == PYTHON_LITERAL else json.dumps
    tests = tuple(
        PlannedTest(key=index, input=as_text(test["args"]), expected=as_text(test["expected"]))
        for index, test in enumerate(row["tests"])
    )
    return (_plan(row, tests, entry_point=row["entry_point"], value_encoding=encoding),)


def _stdio_plans(row: Mapping[str, Any]) -> tuple[JudgingPlan, ...]:
    tests = tuple(
        PlannedTest(key=index, input=test["stdin"], expected=test["expected"])
        for index, test in enumerate(row["tests"])
    )
    return (_plan(row, tests),)


def _script_plans(row: Mapping[str, Any]) -> tuple[JudgingPlan, ...]:
    return tuple(
        _plan(
            row,
            (PlannedTest(key=index, input=test["stdin"], expected=test["expected"]),),
            template=SCRIPT_TEMPLATE if test["code_after"] else "",
            postlude=test["code_after"],
        )
        for index, test in enumerate(row["tests"])
    )


def _plan(row: Mapping[str, Any], tests: tuple[PlannedTest, ...], **particulars: Any) -> JudgingPlan:
    language: Language = LANGUAGES[row["language"]]
    program = SourceFile(name=main_name_for(language, row["program"]), content=row["program"])
    return JudgingPlan(
        language=language,
        files=(program,),
        tests=tests,
        checker=checker_spec(row["checker"]),
        time_limit_ms=int(row["time_limit_s"] * 1000),
        memory_limit_mb=int(row["memory_limit_mb"]),
        stops_at_first_failure=True,
        **particulars,
    )
