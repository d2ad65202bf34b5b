"""Submissions, their judgements, and the result of each test."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from courses.models import Course, Problem, TestCase, TestSet
from executor.judging.verdicts import Verdict


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def visible_to(self, user: Any) -> "SubmissionQuerySet":
        """One's own submissions, and all of the courses one is staff of.

        Those that verify a reference solution are for staff alone, one's own too: staff may become students.
        """
        if not user.is_authenticated:
            return self.none()
        own = Q(user=user) & ~Q(purpose=Submission.Purpose.VERIFY)
        return self.filter(own | Q(problem__course__in=Course.objects.staffed_by(user)))


class Submission(models.Model):
    """One program handed in. Its status, verdict and score are those of its current judgement."""

    class Purpose(models.TextChoices):
        PRACTICE = "practice"
        EXAM = "exam"
        VERIFY = "verify"

    class Feedback(models.TextChoices):
        """What the student may see: nothing, the samples' results, each test's verdict, or also hidden output."""

        NONE = "none"
        SAMPLES = "samples"
        VERDICTS = "verdicts"
        FULL = "full"

    class Status(models.TextChoices):
        """`pending`, `judging`, then the verdict; `superseded` and `quarantined` end a submission without one."""

        PENDING = "pending"
        JUDGING = "judging"
        ACCEPTED = Verdict.ACCEPTED.value
        WRONG_ANSWER = Verdict.WRONG_ANSWER.value
        TIME_LIMIT_EXCEEDED = Verdict.TIME_LIMIT_EXCEEDED.value
        MEMORY_LIMIT_EXCEEDED = Verdict.MEMORY_LIMIT_EXCEEDED.value
        OUTPUT_LIMIT_EXCEEDED = Verdict.OUTPUT_LIMIT_EXCEEDED.value
        RUNTIME_ERROR = Verdict.RUNTIME_ERROR.value
        COMPILATION_ERROR = Verdict.COMPILATION_ERROR.value
        INTERNAL_ERROR = Verdict.INTERNAL_ERROR.value
        SUPERSEDED = "superseded"
        QUARANTINED = "quarantined"

    UNFINISHED = (Status.PENDING, Status.JUDGING)

    # Marks are never deleted with something else (law 9): neither a user nor a problem takes submissions along.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions")
    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="submissions")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.PRACTICE)
    feedback = models.CharField(max_length=10, choices=Feedback.choices, default=Feedback.VERDICTS)
    language = models.CharField(max_length=30)
    # [{"name": ..., "content": ...}], the main file first.
    files = models.JSONField()
    status = models.CharField(max_length=30, choices=Status.choices, default=Status.PENDING)
    # Raised with every change a spectator would want to know of: what orders the events of one submission.
    version = models.PositiveIntegerField(default=0, db_default=0)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    current_judgement = models.OneToOneField(
        "Judgement", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["user", "-id"], name="submission_of_user"),
            models.Index(fields=["problem", "-id"], name="submission_of_problem"),
            models.Index(fields=["problem", "user", "-id"], name="submission_of_both"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__range=(0, 100)), name="submission_score_0_to_100"
            ),
        ]

    def __str__(self) -> str:
        return f"submission {self.pk}"

    @property
    def code(self) -> str:
        """The main file's text."""
        return str(self.files[0]["content"])


class Judgement(models.Model):
    """One judging of a submission. Who works on it holds a claim: a fresh id, and a lease by the database's clock."""

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed"
        DONE = "done"
        # Never judged: a newer submission took its place.
        WITHDRAWN = "withdrawn"

    class Lane(models.TextChoices):
        """Live work goes before anything else."""

        LIVE = "live"
        REJUDGE = "rejudge"

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="judgements")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)

    # The place in the queue: the lowest virtual start of a lane is taken first. `turn` is how many the student had
    # waiting before it. Whose it is, is copied here, so that the queue is read from this table alone.
    lane = models.CharField(max_length=10, choices=Lane.choices, default=Lane.LIVE, db_default=Lane.LIVE)
    virtual_start = models.BigIntegerField(default=0, db_default=0)
    turn = models.PositiveIntegerField(default=0, db_default=0)
    student_id = models.BigIntegerField(default=0, db_default=0)
    course_id = models.BigIntegerField(default=0, db_default=0)
    organization_id = models.BigIntegerField(default=0, db_default=0)

    # The fence: a result is applied only while its claim is still the row's (law 2).
    claim_id = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    # Who holds the claim, or held the last one; no foreign key, since workers are forgotten and judgements are not.
    worker_id = models.UUIDField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # Workers that were lost while they judged this.
    losses = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Infrastructure faults so far: each makes the pause before the next try longer, until `not_before`.
    faults = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)

    # What was judged with, so that the verdict can be explained and repeated later.
    test_set = models.ForeignKey(TestSet, on_delete=models.PROTECT, related_name="judgements")
    checker = models.CharField(max_length=20)
    checker_options = models.JSONField(default=dict, blank=True)
    is_partial_credit = models.BooleanField(default=True)
    stops_at_first_failure = models.BooleanField(default=False)
    time_limit_ms = models.PositiveIntegerField()
    memory_limit_mb = models.PositiveIntegerField()
    engine = models.CharField(max_length=20, blank=True)
    tier = models.CharField(max_length=20, blank=True)

    verdict = models.CharField(max_length=30, choices=[(v.value, v.value) for v in Verdict], blank=True)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    # The highest of any test.
    time_ms = models.PositiveIntegerField(null=True, blank=True)
    memory_kib = models.PositiveIntegerField(null=True, blank=True)
    compile_output = models.TextField(blank=True)
    # For staff and operators: why a judgement ended as internal_error, or what the last try stumbled over.
    fault = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["submission", "number"]
        constraints = [
            models.UniqueConstraint(fields=["submission", "number"], name="judgement_number_unique"),
            models.CheckConstraint(
                condition=Q(state="claimed", claim_id__isnull=False, leased_until__isnull=False)
                | (~Q(state="claimed") & Q(claim_id__isnull=True, leased_until__isnull=True)),
                name="judgement_claim_iff_claimed",
            ),
            models.CheckConstraint(
                condition=(Q(state="done") & ~Q(verdict="")) | (~Q(state="done") & Q(verdict="")),
                name="judgement_verdict_iff_done",
            ),
        ]
        indexes = [
            # The queue: what a worker claims next, how much waits of whom, and which leases have run out.
            models.Index(
                fields=["lane", "virtual_start", "id"], name="judgement_pending", condition=Q(state="pending")
            ),
            models.Index(
                fields=["organization_id", "turn"], name="judgement_pending_org", condition=Q(state="pending")
            ),
            models.Index(fields=["student_id"], name="judgement_pending_student", condition=Q(state="pending")),
            models.Index(fields=["leased_until"], name="judgement_leased", condition=Q(state="claimed")),
            # The rate at which judging goes.
            models.Index(fields=["finished_at"], name="judgement_finished", condition=Q(state="done")),
            # What ended badly, for operators.
            models.Index(fields=["finished_at"], name="judgement_broken", condition=Q(verdict="internal_error")),
        ]

    def __str__(self) -> str:
        return f"judgement {self.number} of submission {self.submission_id}"


class TestResult(models.Model):
    """One test of one judgement. Text is bounded, and escaped where the database could not hold it (law 8)."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    judgement = models.ForeignKey(Judgement, on_delete=models.CASCADE, related_name="test_results")
    test_case = models.ForeignKey(TestCase, on_delete=models.PROTECT, related_name="results")
    order = models.PositiveIntegerField()
    verdict = models.CharField(max_length=30, choices=[(v.value, v.value) for v in Verdict])
    time_ms = models.PositiveIntegerField(null=True, blank=True)
    memory_kib = models.PositiveIntegerField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    signal = models.PositiveSmallIntegerField(null=True, blank=True)
    stdout = models.TextField(blank=True)
    stderr = models.TextField(blank=True)
    # What the checker has to say, such as the first difference.
    message = models.TextField(blank=True)
    # What a custom checker says to staff alone, and why it broke where it did.
    judge_message = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["order"]
        constraints = [models.UniqueConstraint(fields=["judgement", "test_case"], name="testresult_unique")]

    def __str__(self) -> str:
        return f"test {self.order} of judgement {self.judgement_id}"
