"""Checking the files that somebody hands in, before anything is done with them."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from django.conf import settings

from core.errors import FieldError, InvalidInput
from executor.engines.base import SourceFile
from executor.judging.languages import LANGUAGES, Language
from executor.services.languages import missing_for

# Plain names only: no directory, nothing hidden, nothing that could be read as an option (S-05).
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def known_language(key: str, *, allowed: Sequence[str] = ()) -> Language:
    """The language a caller named, if it is known and allowed.

    Raises:
        InvalidInput: `unknown_language` or `language_not_allowed`.
    """
    language = LANGUAGES.get(key)
    if language is None:
        known = ", ".join(LANGUAGES)
        raise InvalidInput.at("language", "unknown_language", f"There is no language {key[:50]!r}; there are {known}.")
    if allowed and key not in allowed:
        raise InvalidInput.at(
            "language", "language_not_allowed", f"This problem takes {', '.join(allowed)}, not {language.name}."
        )
    return language


def language_of(key: str, *, allowed: Sequence[str] = ()) -> Language:
    """The language a caller named, if it is known, allowed and present here.

    Raises:
        InvalidInput: `unknown_language`, `language_not_allowed` or `language_unavailable`.
    """
    language = known_language(key, allowed=allowed)
    if missing := missing_for(language):
        raise InvalidInput.at(
            "language", "language_unavailable", f"{language.name} cannot be run on this server: {missing}"
        )
    return language


def source_files(language: Language, program: str | Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    """A program's checked files, the main one first, from one text (named as its language wants) or from files.

    Raises:
        InvalidInput: as `check_files`, with pointers from `#/code` or `#/files`.
    """
    if isinstance(program, str):
        files: tuple[SourceFile, ...] = (SourceFile(name=main_name_for(language, program), content=program),)
    else:
        files = tuple(program)
    check_files(language, files, pointer="#/code" if isinstance(program, str) else "#/files")
    return files


def main_name_for(language: Language, code: str) -> str:
    """The main file's name: the language's usual one, or what the code itself demands (a public class in Java)."""
    if language.main_name_pattern is not None and (match := re.search(language.main_name_pattern, code, re.MULTILINE)):
        return match.group(1) + PurePath(language.main_name).suffix
    return language.main_name


def check_files(language: Language, files: Sequence[SourceFile], *, pointer: str) -> None:
    """Refuse what cannot be a program of this language; `pointer` is the JSON pointer of the list of files.

    Raises:
        InvalidInput: names every file that is at fault. Codes: `empty_code`, `code_too_large`, `too_many_files`,
            `invalid_file_name`, `duplicate_file_name`, `wrong_suffix`, `nul_character`, `invalid_character`.
    """
    errors: list[FieldError] = []
    if len(files) > settings.EXECUTOR_FILES_MAX:
        errors.append(_error(pointer, "too_many_files", f"At most {settings.EXECUTOR_FILES_MAX} files are taken."))
    is_single = pointer == "#/code"
    seen: set[str] = set()
    for index, file in enumerate(files):
        where = pointer if is_single else f"{pointer}/{index}"
        errors.extend(_faults_of_file(file, where=where, is_single=is_single))
        if file.name in seen:
            errors.append(_error(f"{where}/name", "duplicate_file_name", f"{file.name!r} is there twice."))
        seen.add(file.name)
    if files and not files[0].name.endswith(language.toolchain.source_suffixes):
        suffixes = ", ".join(language.toolchain.source_suffixes)
        errors.append(
            _error(f"{pointer}/0/name", "wrong_suffix", f"The first file is the main one and must end in {suffixes}.")
        )
    if not files or not files[0].content.strip():
        errors.append(_error(pointer, "empty_code", "There is no code to run."))
    size_bytes = sum(len(file.content.encode("utf-8", "surrogatepass")) for file in files)
    if size_bytes > settings.EXECUTOR_CODE_LIMIT_BYTES:
        errors.append(
            _error(
                pointer,
                "code_too_large",
                f"The code has {size_bytes} bytes; at most {settings.EXECUTOR_CODE_LIMIT_BYTES} are taken.",
            )
        )
    if errors:
        raise InvalidInput(errors[0].detail, errors=tuple(errors))


def _faults_of_file(file: SourceFile, *, where: str, is_single: bool) -> list[FieldError]:
    faults = []
    content = where if is_single else f"{where}/content"
    if not FILE_NAME.fullmatch(file.name):
        faults.append(
            _error(
                f"{where}/name",
                "invalid_file_name",
                "A file name has at most 100 letters, digits, dots, dashes and underscores, and begins with a letter "
                "or digit.",
            )
        )
    if "\x00" in file.content:
        faults.append(_error(content, "nul_character", "The code holds a NUL character."))
    if any("\ud800" <= character <= "\udfff" for character in file.content):
        faults.append(_error(content, "invalid_character", "The code holds a lone surrogate, which is no character."))
    return faults


def _error(pointer: str, code: str, detail: str) -> FieldError:
    return FieldError(pointer=pointer, code=code, detail=detail)
