"""Drafts: what a student is writing, saved as they type, so that two windows never overwrite each other unseen.

A deleted draft stays as an empty one: versions go on, and a window that still shows what was deleted is told.
"""

from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core.errors import InvalidInput
from courses.authoring import is_known_language
from courses.errors import DraftConflict, TakesNoCode
from courses.models import CodeDraft, Problem


@transaction.atomic
def draft_save(*, user: User, problem: Problem, language: str, code: str, version: int) -> CodeDraft:
    """Save what a user writes for a problem, if it is based on what is stored; `version` is the one last read, 0 none.

    What is stored already is not saved again, whatever version it is said to be based on.

    Raises:
        TakesNoCode: the problem is not answered with a program.
        InvalidInput: `/language` is `unknown_language` or `language_not_allowed`, or `/code` is `code_too_large`.
        DraftConflict: another window saved meanwhile; the members `current` and `yours` have both texts.
    """
    _check(problem, language, code)
    draft = _lock_or_make(user, problem, language)
    if draft.code == code and draft.version > 0:
        return draft
    if version != draft.version and not (version == 0 and not draft.code):
        raise DraftConflict(
            "Another window saved this draft meanwhile.",
            members={"current": draft_as_json(draft), "yours": {"code": code, "version": version}},
        )
    draft.code, draft.version = code, draft.version + 1
    draft.save()
    return draft


@transaction.atomic
def draft_delete(*, user: User, problem: Problem, language: str) -> None:
    """Forget what a user wrote for a problem. Where there is nothing, nothing happens."""
    rows = CodeDraft.objects.filter(user=user, problem=problem, language=language)
    draft = rows.exclude(code="").select_for_update(no_key=True).first()
    if draft is not None:
        draft.code, draft.version = "", draft.version + 1
        draft.save()


def draft_as_json(draft: CodeDraft) -> dict[str, Any]:
    """A text with its version, as an edit conflict shows it."""
    return {"code": draft.code, "version": draft.version, "updated_at": draft.updated_at}


def _check(problem: Problem, language: str, code: str) -> None:
    algorithm = getattr(problem, "algorithm", None)
    if algorithm is None:
        raise TakesNoCode
    if not is_known_language(language):
        raise InvalidInput.at("language", "unknown_language", "There is no such language.")
    if algorithm.languages and language not in algorithm.languages:
        allowed = ", ".join(algorithm.languages)
        raise InvalidInput.at("language", "language_not_allowed", f"This problem takes {allowed}.")
    limit_bytes = settings.EXECUTOR_CODE_LIMIT_BYTES
    if len(code.encode("utf-8", "surrogatepass")) > limit_bytes:
        raise InvalidInput.at("code", "code_too_large", f"At most {limit_bytes} bytes are kept, as of submissions.")


def _lock_or_make(user: User, problem: Problem, language: str) -> CodeDraft:
    """The draft, held until the transaction ends; a new one is empty, of version 0."""
    rows = CodeDraft.objects.filter(user=user, problem=problem, language=language)
    CodeDraft.objects.bulk_create(
        [CodeDraft(user=user, problem=problem, language=language, code="", version=0)], ignore_conflicts=True
    )
    return rows.select_for_update(no_key=True).get()
