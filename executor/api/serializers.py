"""Bodies of the executor's API. Input and output are apart; input takes listed fields only."""

from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from executor.engines.base import SourceFile


class SourceFileInput(StrictSerializer):
    """One file of a program."""

    name = serializers.CharField(max_length=100)
    content = serializers.CharField(allow_blank=True, trim_whitespace=False)


class ProgramInput(StrictSerializer):
    """A program: either `code` (one text), or `files` with the main one first."""

    language = serializers.CharField(max_length=30, help_text="A key of `GET /languages/`, such as `python`.")
    code = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text="The program as one text."
    )
    files = SourceFileInput(many=True, required=False, help_text="Several files, the main one first.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("code" in attrs) == ("files" in attrs):
            raise serializers.ValidationError("Give either code or files.", code="code_or_files")
        return attrs

    @property
    def source_files(self) -> tuple[SourceFile, ...]:
        """The validated `files`; empty where the program came as `code`."""
        return tuple(SourceFile(**file) for file in self.validated_data.get("files", ()))


class SubmissionInput(ProgramInput):
    """Handing in a program."""

    problem = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class RunInput(ProgramInput):
    """Running a program freely."""

    stdin = serializers.CharField(required=False, default="", allow_blank=True, trim_whitespace=False)


class SourceFileOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    content = serializers.CharField()


class SubmissionRowOutput(serializers.Serializer[Any]):
    """A submission in a list: what happened to it, without code and tests."""

    id = serializers.IntegerField()
    problem = serializers.IntegerField()
    user = serializers.IntegerField()
    language = serializers.CharField()
    purpose = serializers.CharField()
    status = serializers.CharField(
        help_text="`pending`, `judging`, a verdict, `judged` where it is not told yet, `superseded` where a newer "
        "submission took its place, or `quarantined`."
    )
    score = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    time_ms = serializers.IntegerField(allow_null=True)
    memory_kib = serializers.IntegerField(allow_null=True)
    received_at = serializers.DateTimeField()
    is_rejudging = serializers.BooleanField(
        allow_null=True, help_text="For staff: a new judgement is on its way, and what is shown is the one before."
    )


class TestReportOutput(serializers.Serializer[Any]):
    """One test. Of a hidden one a student sees the verdict alone."""

    __test__ = False

    number = serializers.IntegerField()
    is_sample = serializers.BooleanField()
    verdict = serializers.CharField()
    time_ms = serializers.IntegerField(allow_null=True)
    memory_kib = serializers.IntegerField(allow_null=True)
    exit_code = serializers.IntegerField(allow_null=True)
    signal = serializers.IntegerField(allow_null=True)
    input = serializers.CharField(allow_null=True)
    expected_output = serializers.CharField(allow_null=True)
    stdout = serializers.CharField(allow_null=True)
    stderr = serializers.CharField(allow_null=True)
    message = serializers.CharField(allow_null=True)
    judge_message = serializers.CharField(allow_null=True, help_text="What a custom checker says to staff.")


class SubmissionOutput(SubmissionRowOutput):
    """A submission with its code, its tests, and its place in the queue while it waits."""

    files = SourceFileOutput(many=True)
    compile_output = serializers.CharField(allow_null=True)
    tests = TestReportOutput(many=True)
    queue_position = serializers.IntegerField(allow_null=True)
    estimated_wait_seconds = serializers.IntegerField(allow_null=True)


class RunOutput(serializers.Serializer[Any]):
    """What a free run did. `status` is how the run ended; nothing is compared or kept."""

    status = serializers.CharField(
        help_text="`exited`, `signaled`, `time_limit`, `wall_limit`, `memory_limit`, `output_limit` or "
        "`compilation_error`."
    )
    exit_code = serializers.IntegerField(allow_null=True)
    signal = serializers.IntegerField(allow_null=True)
    time_ms = serializers.IntegerField(allow_null=True)
    memory_kib = serializers.IntegerField(allow_null=True)
    stdout = serializers.CharField()
    stderr = serializers.CharField()
    compile_output = serializers.CharField()


class SampleReportOutput(serializers.Serializer[Any]):
    """One sample test, which is public: all there is to tell of it."""

    number = serializers.IntegerField(help_text="Its place among the samples.")
    verdict = serializers.CharField()
    time_ms = serializers.IntegerField(allow_null=True)
    memory_kib = serializers.IntegerField(allow_null=True)
    exit_code = serializers.IntegerField(allow_null=True)
    signal = serializers.IntegerField(allow_null=True)
    input = serializers.CharField()
    expected_output = serializers.CharField(allow_null=True, help_text="null: any output is right.")
    stdout = serializers.CharField()
    stderr = serializers.CharField()
    message = serializers.CharField()


class SampleRunOutput(serializers.Serializer[Any]):
    """What came of a program on the sample tests; nothing of it is kept, and it is no submission."""

    verdict = serializers.CharField(help_text="That of the first sample, in judging order, that is not accepted.")
    compile_output = serializers.CharField()
    samples = SampleReportOutput(many=True)


class WrappedOutput(serializers.Serializer[Any]):
    """The files of a program as it would run, the main one first."""

    files = SourceFileOutput(many=True)
    is_framed = serializers.BooleanField(help_text="Its answer is the value its function returns, not what it prints.")


class LanguageOutput(serializers.Serializer[Any]):
    """A language that can be used here."""

    key = serializers.CharField()
    name = serializers.CharField()
    main_name = serializers.CharField(help_text="The file name that a program given as `code` gets.")
    has_function_problems = serializers.BooleanField()
