"""What the executor demands of an author's checker before it is saved: that it can run here, apart from students."""

from collections.abc import Iterator

from core.errors import FieldError, InvalidInput
from courses.authoring import POINTER, AlgorithmSpec, CheckerProgram
from executor.engines.base import EngineError
from executor.judging.checkers import CUSTOM
from executor.judging.custom import CustomChecker
from executor.judging.languages import LANGUAGES
from executor.services.custom_checkers import CheckerRunner
from executor.services.engines import engine_named
from executor.services.sources import source_files

UNAVAILABLE = "custom_checker_unavailable"
COMPILER_OUTPUT_SHOWN = 2000


def custom_checker_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    """A problem with a custom checker is taken only where a box of this machine can run it (law 1)."""
    if spec.checker == CUSTOM and (reason := unavailable_reason()):
        yield FieldError(pointer=f"{POINTER}/checker", code=UNAVAILABLE, detail=reason)


def checker_program_errors(program: CheckerProgram) -> Iterator[FieldError]:
    """Every fault of a checker that would otherwise cost a submission; it is compiled once to find them."""
    language = LANGUAGES.get(program.language)
    if language is None:
        yield FieldError(
            pointer="#/checker_language",
            code="unknown_language",
            detail=f"There is no language {program.language!r}; there are {', '.join(LANGUAGES)}.",
        )
        return
    if reason := unavailable_reason():
        yield FieldError(pointer="#/checker_source", code=UNAVAILABLE, detail=reason)
        return
    if missing := engine_named("sandbox").missing_for(language.toolchain):
        yield FieldError(pointer="#/checker_language", code="language_unavailable", detail=missing)
        return
    try:
        (file,) = source_files(language, program.source)
        fault = CheckerRunner().fault_of(CustomChecker(language=language, file=file))
    except InvalidInput as refusal:
        for error in refusal.errors:
            yield FieldError(pointer="#/checker_source", code=error.code, detail=error.detail)
        return
    except EngineError as error:
        yield FieldError(pointer="#/checker_source", code=UNAVAILABLE, detail=f"It could not be tried: {error}")
        return
    if fault is not None:
        detail = f"The checker does not compile: {fault[:COMPILER_OUTPUT_SHOWN]}"
        yield FieldError(pointer="#/checker_source", code="checker_does_not_compile", detail=detail)


def unavailable_reason() -> str | None:
    """Why no custom checker can run on this machine, as a sentence; None where one can."""
    health = engine_named("sandbox").health()
    return None if health.is_ready else f"A custom checker needs this server's own sandbox: {health.detail}"
