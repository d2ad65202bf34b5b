"""What an author's wrapping makes of a program, to look at before students meet it."""

from collections.abc import Sequence

from courses.models import Problem
from executor.engines.base import SourceFile
from executor.judging.wrapping import WrappedProgram, WrappingError, wrap
from executor.services.sources import known_language, source_files
from executor.services.submissions import ProblemNotReady


def wrapped_preview(
    *, problem: Problem, language: str, code: str | None = None, files: Sequence[SourceFile] = ()
) -> WrappedProgram:
    """The program as it would run for this problem; nothing is run, and the language need not be there.

    For staff of the course: what comes back is the author's code. An archived problem is shown as any other.

    Raises:
        InvalidInput: the language or a file is not acceptable.
        ProblemNotReady: it is no algorithm problem, or cannot be wrapped in this language; the detail says why.
    """
    if problem.type != Problem.Type.ALGORITHM or not hasattr(problem, "algorithm"):
        raise ProblemNotReady("This problem is not answered with a program.")
    algorithm = problem.algorithm
    chosen = known_language(language, allowed=algorithm.languages)
    program = source_files(chosen, code if code is not None else files)
    try:
        return wrap(
            chosen,
            program,
            entry_point=algorithm.entry_point,
            template=algorithm.templates.get(chosen.key, ""),
            prelude=algorithm.preludes.get(chosen.key, ""),
            postlude=algorithm.postludes.get(chosen.key, ""),
        )
    except WrappingError as error:
        raise ProblemNotReady(str(error)) from error
