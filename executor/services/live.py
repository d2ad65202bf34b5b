"""What somebody who watches a submission is told: its state, and while it is judged the tests decided so far."""

import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accounts.models import User
from events.hub import Message, publish
from events.streams import Asked
from events.wire import Shown
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.selectors import OPEN_FEEDBACK, submission_report, submissions_for, with_results
from executor.services.code_executor import OnTest

EVENT = "submission"
# Between two tellings of how far a judging is.
PROGRESS_PAUSE_S = 0.1


def topic_of(submission_id: int) -> str:
    """The topic of one submission."""
    return f"{EVENT}:{submission_id}"


def tell_watchers(*, submission_id: int, **kwargs: object) -> None:
    """Receiver of `submission_announced`: whoever watches it looks again."""
    publish(topic_of(submission_id), {})


def progress_teller(judgement: Judgement, claim_id: uuid.UUID) -> OnTest | None:
    """What tells the watchers of a judging's tests: at most every so often, the first and the last in any case.

    None for a rejudging: the result that is shown stands until its own is applied. The judgement comes with its test
    cases.
    """
    if judgement.lane != Judgement.Lane.LIVE:
        return None
    are_samples = [case.is_sample for case in judgement.test_set.test_cases.all()]
    topic, run, decided = topic_of(judgement.submission_id), str(claim_id), []
    told_s = -PROGRESS_PAUSE_S

    def tell(index: int, verdict: Verdict | None) -> None:
        nonlocal told_s
        decided.append([index + 1, are_samples[index], verdict and verdict.value])
        now_s = time.monotonic()
        if now_s - told_s >= PROGRESS_PAUSE_S or len(decided) == len(are_samples):
            told_s = now_s
            publish(topic, {"run": run, "tests": list(decided)}, is_kept=True)

    return tell


@dataclass(frozen=True, slots=True)
class LiveSubmissions:
    """Submissions as a source of events."""

    def versions(self, keys: Collection[int]) -> Mapping[int, int]:
        """The present version of each, in one query."""
        return dict(Submission.objects.filter(pk__in=keys).values_list("pk", "version"))

    def read(self, asked: Sequence[Asked]) -> Sequence[Shown | None]:
        """What each may see now, in one query for each user, and two more where a verdict has come."""
        keys_of: dict[User, set[int]] = {}
        for each in asked:
            keys_of.setdefault(each.user, set()).add(each.key)
        rows = {
            (user.pk, submission.pk): submission
            for user, keys in keys_of.items()
            for submission in submissions_read(user, keys)
        }
        shown: list[Shown | None] = []
        for each in asked:
            submission = rows.get((each.user.pk, each.key))
            shown.append(None if submission is None else submission_shown(submission, each.progress))
        return shown


LIVE_SUBMISSIONS = LiveSubmissions()


def submissions_read(user: User, keys: Collection[int]) -> list[Submission]:
    """Those a user may see, as `submission_shown` takes them."""
    submissions = submissions_for(user).defer("files").filter(pk__in=keys)
    read = {submission.pk: submission for submission in submissions}
    if finished := [pk for pk, submission in read.items() if submission.status not in Submission.UNFINISHED]:
        read |= {submission.pk: submission for submission in with_results(submissions.filter(pk__in=finished))}
    return list(read.values())


def submission_shown(submission: Submission, progress: Message | None) -> Shown:
    """What the user it was read for may see of a submission, with what was last said of its judging."""
    is_staff: bool = submission.is_staff  # type: ignore[attr-defined]
    is_final = submission.status not in Submission.UNFINISHED
    report = submission_report(submission, is_staff=is_staff, has_tests=is_final)
    data = {
        "id": submission.pk,
        "status": report.status,
        "score": report.score,
        "time_ms": report.time_ms,
        "memory_kib": report.memory_kib,
        "compile_output": report.compile_output,
    }
    items = [asdict(test) for test in report.tests] if is_final else list(_decided(submission, progress, is_staff))
    return Shown(name=EVENT, version=submission.version, data=data, items=items, is_final=is_final)


def _decided(submission: Submission, progress: Message | None, is_staff: bool) -> Iterator[dict[str, Any]]:
    """The tests that the present judging has decided, as far as this reader may know them."""
    judgement = submission.current_judgement
    # Another worker, thought lost, may still be telling of its own try.
    if progress is None or judgement is None or progress.get("run") != str(judgement.claim_id):
        return
    may_know = is_staff or submission.feedback in OPEN_FEEDBACK
    may_know_samples = submission.feedback == Submission.Feedback.SAMPLES
    tests = progress.get("tests")
    for test in tests if isinstance(tests, list) else ():
        match test:
            case [int(number), bool(is_sample), str() | None as verdict]:
                if may_know or (may_know_samples and is_sample):
                    yield {"number": number, "is_sample": is_sample, "verdict": verdict}
            case _:
                pass  # what comes through a Redis may be anything
