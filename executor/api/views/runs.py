"""Running programs freely over HTTP, and which languages can be used for it."""

from functools import partial
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from core.idempotency import done_once
from core.schema import IDEMPOTENCY
from executor.api.serializers import LanguageOutput, RunInput, RunOutput
from executor.judging.text import storable_text
from executor.judging.verdicts import Verdict
from executor.services.code_executor import FreeRun
from executor.services.languages import available_languages
from executor.services.runs import run_create


class RunView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="runs_create",
        summary="Run a program on my own input",
        request=RunInput,
        responses=RunOutput,
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request) -> Response:
        """Once, without tests, under limits of its own; nothing is kept, except the answer to a key for a day. 429
        `run_quota_used` where you have a program running or ran too many lately, `run_capacity_full` where all places
        are taken; both with `Retry-After`.
        """
        body = RunInput(data=request.data)
        body.is_valid(raise_exception=True)
        create = partial(
            run_create,
            user=cast(User, request.user),
            language=body.validated_data["language"],
            code=body.validated_data.get("code"),
            files=body.source_files,
            stdin=body.validated_data["stdin"],
        )
        done = done_once(request, lambda: RunOutput(_run(create())).data)
        return Response(done.answer, headers=done.headers)


class LanguageListView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="languages_list",
        summary="The languages programs can be written in",
        responses=LanguageOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """Those that this server can run now. A problem may allow fewer of them."""
        rows = [
            {
                "key": language.key,
                "name": language.name,
                "main_name": language.main_name,
                "has_function_problems": language.template_name is not None,
            }
            for language in available_languages()
        ]
        return Response(LanguageOutput(rows, many=True).data)


def _run(run: FreeRun) -> dict[str, Any]:
    limit_bytes = settings.EXECUTOR_RUN_OUTPUT_LIMIT_KIB * 1024
    result = run.result
    return {
        "status": result.status.value if result else Verdict.COMPILATION_ERROR.value,
        "exit_code": result.exit_code if result else None,
        "signal": result.signal if result else None,
        "time_ms": result.time_ms if result else None,
        "memory_kib": result.memory_kib if result else None,
        "stdout": storable_text(result.stdout if result else b"", limit_bytes=limit_bytes),
        "stderr": storable_text(result.stderr if result else b"", limit_bytes=limit_bytes),
        "compile_output": run.compilation.output if run.compilation else "",
    }
