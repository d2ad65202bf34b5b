"""What can be done with a problem's programs besides handing one in: trying the samples, looking at the wrapping."""

from functools import partial
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import done_once
from core.schema import IDEMPOTENCY
from courses.api.permissions import IsCourseStaff
from courses.api.views.base import CourseScopedView
from executor.api.serializers import ProgramInput, SampleRunOutput, WrappedOutput
from executor.judging.text import storable_text
from executor.services.preview import wrapped_preview
from executor.services.samples import SampleOutcome, SampleRun, samples_run


class SampleRunView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="problem_run_samples",
        summary="Try a program on a problem's sample tests",
        request=ProgramInput,
        responses=SampleRunOutput,
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """Judged as a submission would be, with the same checker and limits, but on the public tests alone; nothing is
        kept, and no attempt is used. It counts as a free run (429). 409 `problem_not_ready` where there are no samples.
        """
        problem = self.problem()
        body = ProgramInput(data=request.data)
        body.is_valid(raise_exception=True)
        create = partial(
            samples_run,
            user=self.user,
            problem_id=problem.pk,
            language=body.validated_data["language"],
            code=body.validated_data.get("code"),
            files=body.source_files,
        )
        done = done_once(request, lambda: SampleRunOutput(_sample_run(create())).data)
        return Response(done.answer, headers=done.headers)


class WrappedView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="problem_wrapped",
        summary="See what a problem makes of a program",
        request=ProgramInput,
        responses=WrappedOutput,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course: every file as it would run, with the template, prelude and postlude filled in.
        Nothing is run. 409 `problem_not_ready` says why a program cannot be wrapped.
        """
        problem = self.problem()
        body = ProgramInput(data=request.data)
        body.is_valid(raise_exception=True)
        program = wrapped_preview(
            problem=problem,
            language=body.validated_data["language"],
            code=body.validated_data.get("code"),
            files=body.source_files,
        )
        files = [{"name": file.name, "content": file.content} for file in program.files]
        return Response(WrappedOutput({"files": files, "is_framed": program.is_framed}).data)


def _sample_run(run: SampleRun) -> dict[str, Any]:
    compilation = run.judged.compilation
    return {
        "verdict": run.judged.verdict.value,
        "compile_output": compilation.output if compilation else "",
        "samples": [_sample(number, one) for number, one in enumerate(run.samples, start=1)],
    }


def _sample(number: int, one: SampleOutcome) -> dict[str, Any]:
    outcome, result = one.outcome, one.outcome.result
    return {
        "number": number,
        "verdict": outcome.verdict.value,
        "time_ms": result.time_ms if result else None,
        "memory_kib": result.memory_kib if result else None,
        "exit_code": result.exit_code if result else None,
        "signal": result.signal if result else None,
        "input": one.sample.input,
        "expected_output": one.sample.expected_output,
        "stdout": _text(outcome.printed),
        "stderr": _text(result.stderr if result else b""),
        "message": _text(outcome.message.encode("utf-8", "surrogatepass")),
    }


def _text(data: bytes) -> str:
    return storable_text(data, limit_bytes=settings.EXECUTOR_RUN_OUTPUT_LIMIT_KIB * 1024)
