"""What courses refuse, each with its own stable code."""

from core.errors import Conflict, DomainError, NotFound, PermissionRefused, TooManyRequests


class ProblemInUse(Conflict):
    """Marks are never deleted with something else (law 9): archive the problem instead."""

    code = "problem_in_use"
    title = "The problem has submissions or answers"


class NotCheckable(Conflict):
    """Only choices and blanks are checked at once; a program is handed in and judged."""

    code = "not_checkable"
    title = "This problem is not answered like this"


class ProblemArchived(Conflict):
    """What is archived stays to be read, and takes no more answers."""

    code = "problem_archived"
    title = "The problem is archived"


class CheckQuotaUsed(TooManyRequests):
    code = "check_quota_used"
    title = "You have had as much checked as you may for now"


class VersionConflict(Conflict):
    """Somebody changed the tests meanwhile: what stood at a place may stand elsewhere in `version`, the current one."""

    code = "version_conflict"
    title = "There is a newer version of the tests"


class AttachmentExists(Conflict):
    """Names are how a problem's files are told apart; delete the one that is there to replace it."""

    code = "attachment_exists"
    title = "The problem has a file of this name"


class AttachmentsFull(Conflict):
    """A problem has so many files, and a course so many bytes of them; deleting some makes room."""

    code = "attachments_full"
    title = "There is no room for this file"


class AlreadyPlaced(Conflict):
    """A problem stands at most once in a chapter; move it instead."""

    code = "already_placed"
    title = "The problem is in this chapter already"


class AlreadyEnrolled(Conflict):
    """One user has one place in a course; change its role instead."""

    code = "already_enrolled"
    title = "This user is enrolled already"


class ProblemLocked(PermissionRefused):
    """What it waits for is not there yet; `lock` says what is missing, as the course's outline does."""

    code = "problem_locked"
    title = "The problem is locked"


class EnrollmentEnded(Conflict):
    """Who left a course has no role in it to change; enrolling them again brings them back."""

    code = "enrollment_ended"
    title = "This user has left the course"


class CourseFull(Conflict):
    """As many students are in the course as it has seats; one that leaves frees theirs."""

    code = "course_full"
    title = "The course has no seat left"


class CourseNotJoinable(Conflict):
    """People enroll themselves only in open, published courses of their organizations."""

    code = "course_not_joinable"
    title = "This course cannot be joined without an invitation"


class InvitationUnknown(NotFound):
    """Wrong, expired, used up, revoked, or of an unpublished course: all answer alike, so that nothing is learned."""

    code = "invitation_unknown"
    title = "There is no such invitation"


class JoinTriesUsed(TooManyRequests):
    """Codes are not to be guessed."""

    code = "join_tries_used"
    title = "You have tried too many invitation codes"


class RosterRefused(DomainError):
    """Nothing of the roster was written; the members `totals` and `rows` say why."""

    status = 422
    code = "roster_has_errors"
    title = "The roster has errors"


class AlreadyExtended(Conflict):
    """A student has one extension for a chapter or problem; delete it to give another."""

    code = "already_extended"
    title = "The student has an extension for this already"


class DraftConflict(Conflict):
    """Two windows saved one draft; the members `current` and `yours` have both texts, for their author to choose."""

    code = "draft_conflict"
    title = "Another window saved this draft meanwhile"


class TakesNoCode(Conflict):
    """Only problems of type algorithm are answered with a program."""

    code = "takes_no_code"
    title = "This problem is not answered with a program"


class ProblemImportRefused(DomainError):
    """Nothing of the table was written; the members `totals` and `rows` say why."""

    status = 422
    code = "problem_import_has_errors"
    title = "The table of problems has errors"


class ProblemsTooLarge(Conflict):
    """Tables hold what people edit in spreadsheets; larger tests are read and written by the API."""

    code = "problems_too_large"
    title = "The problems are too large for a table"
