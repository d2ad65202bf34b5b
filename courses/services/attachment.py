"""Files that belong to problems: their rows here, their contents once per hash in `core.contents`."""

from functools import partial

from django.db import transaction
from django.db.models import Sum

from accounts.audit import audit_record
from accounts.models import User
from core.contents import content_remove, content_write, contents_locked
from core.errors import InvalidInput, NotFound
from core.filetypes import sniff
from courses.attachment_names import attachment_name
from courses.errors import AttachmentExists, AttachmentsFull
from courses.models import Attachment
from courses.services.problem import problem_lock
from courses.services.validation import refuse, row_errors, row_lock

FILE_BYTES_MAX = 10 * 1024 * 1024
PER_PROBLEM_MAX = 50
COURSE_BYTES_MAX = 200 * 1024 * 1024


def attachment_create(*, actor: User, problem_id: int, name: str, data: bytes, claimed_type: str = "") -> Attachment:
    """Attach a file to a problem. `name` is the one the file came with, `claimed_type` what the uploader calls it.

    It commits by itself, and is not for use inside a transaction.

    Raises:
        NotFound: there is no such problem.
        InvalidInput: `/file` is `file_too_large`, `file_name_refused`, or `file_type_refused`: its content, extension
            and claimed type are not those of one kind of file that may be attached.
        AttachmentExists: the problem has a file of this name.
        AttachmentsFull: the problem has as many files, or the course as many bytes, as it may have.
    """
    if len(data) > FILE_BYTES_MAX:
        detail = f"A file has at most {FILE_BYTES_MAX // 1024**2} MiB."
        raise InvalidInput.at("file", "file_too_large", detail)
    kept_name = attachment_name(name)
    file_type = sniff(data, kept_name, claimed_type=claimed_type)
    # Until the row is committed nobody may take the file for one that no row refers to.
    with contents_locked():
        sha256 = content_write(data)
        try:
            # Durable: to hold a lock of the database while waiting for the files' would be the wrong way round.
            with transaction.atomic(durable=True):
                return _create(
                    actor,
                    Attachment(
                        problem_id=problem_id,
                        name=kept_name,
                        content_type=file_type.content_type,
                        size_bytes=len(data),
                        sha256=sha256,
                    ),
                )
        except BaseException:
            _remove_unless_used(sha256)
            raise


@transaction.atomic
def attachment_delete(*, actor: User, attachment_id: int) -> None:
    """Take a file from a problem. Once that is committed, the content goes too, unless another row refers to it.

    Raises:
        NotFound: there is no such attachment.
    """
    problem_id = Attachment.objects.filter(pk=attachment_id).values_list("problem_id", flat=True).first()
    if problem_id is None:
        raise NotFound
    problem = problem_lock(problem_id)
    attachment = row_lock(problem.attachments.all(), attachment_id)
    _record(actor, "attachment.delete", attachment, is_new=False)
    attachment.delete()


def content_forget_after_commit(sha256: str) -> None:
    """Remove a content once this transaction is committed, unless a row refers to it then."""
    transaction.on_commit(partial(_forget, sha256), robust=True)


def _forget(sha256: str) -> None:
    with contents_locked():
        _remove_unless_used(sha256)


def _remove_unless_used(sha256: str) -> None:
    if not Attachment.objects.filter(sha256=sha256).exists():
        content_remove(sha256)


def _create(actor: User, attachment: Attachment) -> Attachment:
    # Its course is locked with it, so that files added together are counted one after the other.
    problem = problem_lock(attachment.problem_id)
    others = Attachment.objects.filter(problem__course=problem.course_id)
    if problem.attachments.filter(name=attachment.name).exists():
        raise AttachmentExists(f"The problem has a file {attachment.name!r} already: delete it first.")
    if problem.attachments.count() >= PER_PROBLEM_MAX:
        raise AttachmentsFull(f"A problem has at most {PER_PROBLEM_MAX} files.")
    used_bytes = others.aggregate(total=Sum("size_bytes"))["total"] or 0
    if used_bytes + attachment.size_bytes > COURSE_BYTES_MAX:
        raise AttachmentsFull(f"The files of a course have at most {COURSE_BYTES_MAX // 1024**2} MiB together.")
    refuse(row_errors(attachment))
    attachment.save()
    _record(actor, "attachment.create", attachment, is_new=True)
    return attachment


def _record(actor: User, action: str, attachment: Attachment, *, is_new: bool) -> None:
    told = {name: getattr(attachment, name) for name in ("problem_id", "name", "size_bytes", "sha256")}
    audit_record(
        actor=actor,
        action=action,
        target=attachment,
        organization_id=attachment.problem.course.organization_id,
        changes={name: [None, value] if is_new else [value, None] for name, value in told.items()},
    )
