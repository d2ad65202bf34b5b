"""What the executor demands of an algorithm problem before it is saved: its languages, templates and checker exist."""

from collections.abc import Iterator

from core.errors import FieldError
from courses.authoring import POINTER, AlgorithmSpec
from executor.judging.checkers import CheckerSpec, option_fault
from executor.judging.languages import LANGUAGES
from executor.judging.values import PYTHON_LITERAL
from executor.judging.wrapping_checks import wrapping_fault


def algorithm_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    """Every fault that would otherwise show only when a student hands something in."""
    for index, key in enumerate(spec.languages):
        if key not in LANGUAGES:
            yield _error(f"languages/{index}", "unknown_language", f"There is no language {key!r}.")
    yield from _wrapping_errors(spec)
    if fault := option_fault(CheckerSpec(name=spec.checker, options=spec.checker_options)):
        yield _error("checker_options", "checker_fault", fault)
    if spec.entry_point:
        yield from _function_problem_errors(spec)


def _wrapping_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    texts = {"templates": spec.templates, "preludes": spec.preludes, "postludes": spec.postludes}
    for field, by_language in texts.items():
        for key in by_language:
            if key not in LANGUAGES:
                yield _error(f"{field}/{key}", "unknown_language", f"There is no language {key!r}.")
    for key, language in LANGUAGES.items():
        template, prelude, postlude = (by_language.get(key, "") for by_language in texts.values())
        if not (template or prelude or postlude) or (spec.entry_point and not (template or language.template_name)):
            continue
        fault = wrapping_fault(
            language, entry_point=spec.entry_point, template=template, prelude=prelude, postlude=postlude
        )
        if fault is not None:
            yield _error(f"{fault.part}s/{key}", f"{fault.part}_fault", fault.detail)


def _function_problem_errors(spec: AlgorithmSpec) -> Iterator[FieldError]:
    """A function problem needs, in each language it takes, a template: built in, or the author's own."""
    languages = [LANGUAGES[key] for key in spec.languages if key in LANGUAGES]
    for language in languages:
        if language.template_name is None and not spec.templates.get(language.key):
            yield _error(
                "languages",
                "template_missing",
                f"Function problems in {language.name} need a template of yours, since there is none built in.",
            )
        elif spec.value_encoding == PYTHON_LITERAL and language.key != "python":
            yield _error("value_encoding", "encoding_not_supported", "Python literals are for Python alone.")
    if not spec.languages:
        yield _error("languages", "languages_missing", "A function problem names the languages it takes.")


def _error(field: str, code: str, detail: str) -> FieldError:
    return FieldError(pointer=f"{POINTER}/{field}", code=code, detail=detail)
