"""Each log record is one line, valid JSON, bounded, with the request's id; what others wrote in it is inert."""

import json
import logging
import logging.config
import sys
from io import StringIO
from typing import Any

import pytest
import structlog
from django.test import Client
from structlog.testing import capture_logs

from core.logging import TEXT_MAX, logging_settings

HOSTILE = 'a\n{"event": "forged", "level": "error"}\r\x1b[31m\u2028\x00"\\'


def formatted(log_format: str, record: logging.LogRecord) -> str:
    formatter = logging_settings(log_format=log_format)["formatters"]["structured"].copy()
    return str(formatter.pop("()")(**formatter).format(record))


def a_record(message: object, *args: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("some.library", logging.ERROR, "file.py", 1, message, args, exc_info)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the running configuration writes."""
    written = StringIO()
    (handler,) = [h for h in logging.getLogger().handlers if "ProcessorFormatter" in type(h.formatter).__name__]
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", written)
    return written


def lines_of(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_logger_that_was_used_before_is_configured_again_with_the_others() -> None:
    logger = structlog.get_logger("tests.before")
    logger.info("used")
    logging_settings(log_format="json")
    with capture_logs() as lines:
        logger.info("again")
    assert [line["event"] for line in lines] == ["again"]


class TestJSON:
    def test_a_library_record_is_one_object_on_one_line(self) -> None:
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            line = formatted("json", a_record("hello %s", "you"))
        assert "\n" not in line
        body = json.loads(line)
        assert (body["event"], body["logger"], body["level"], body["request_id"]) == (
            "hello you",
            "some.library",
            "error",
            "abc",
        )
        assert body["timestamp"].endswith("Z")

    def test_line_breaks_and_escapes_of_others_are_inert(self) -> None:
        line = formatted("json", a_record("%s", HOSTILE))
        assert len(line.splitlines()) == 1
        assert line.isascii()
        assert "\x1b" not in line
        assert json.loads(line)["event"] == HOSTILE

    def test_the_usual_formatter_would_write_the_forged_line(self) -> None:
        lines = logging.Formatter("%(message)s").format(a_record("%s", HOSTILE)).split("\n")
        assert json.loads(lines[1].split("\r")[0])["event"] == "forged"

    def test_an_exception_is_in_its_line(self) -> None:
        try:
            raise RuntimeError(HOSTILE)
        except RuntimeError:
            line = formatted("json", a_record("failed", exc_info=sys.exc_info()))
        assert len(line.splitlines()) == 1
        assert "Traceback" in json.loads(line)["exception"]

    def test_a_megabyte_is_cut(self, stream: StringIO) -> None:
        structlog.get_logger("tests").warning("long", text="x" * 1_000_000, inner={"texts": ["y" * 1_000_000]})
        (line,) = lines_of(stream)
        assert line["text"].startswith("x" * TEXT_MAX + "…")
        assert len(stream.getvalue()) < 3 * TEXT_MAX

    def test_numbers_that_json_has_not_are_texts(self, stream: StringIO) -> None:
        structlog.get_logger("tests").warning("odd", a=float("nan"), b=[float("inf")], c="\ud800", d=object())
        assert "NaN" not in stream.getvalue()
        (line,) = lines_of(stream)
        assert (line["a"], line["b"]) == ("nan", ["inf"])

    @pytest.mark.urls("tests.core.urls")
    @pytest.mark.django_db
    @pytest.mark.parametrize("address", ["/api/v1/fail/bug/", "/plain/fail/bug/"])
    def test_a_bug_is_logged_once_with_its_traceback_and_the_id_that_was_answered(
        self, stream: StringIO, address: str
    ) -> None:
        response = Client(raise_request_exception=False).get(address)
        lines = lines_of(stream)
        assert {line["request_id"] for line in lines} == {response.json()["request_id"]}
        (told,) = [line for line in lines if "exception" in line]
        assert "a bug of ours with a secret in it" in told["exception"]
        assert told["level"] == "error"
        assert [line["status"] for line in lines if line["event"] == "request"] == [500]

    @pytest.mark.urls("tests.core.urls")
    @pytest.mark.django_db
    def test_every_line_about_a_refusal_of_ours_has_the_id(self, stream: StringIO) -> None:
        response = Client().get("/api/v1/fail/database/")
        lines = lines_of(stream)
        assert [line["event"] for line in lines] == ["about_to_fail", "database_failed", "request"]
        assert {line.get("request_id") for line in lines} == {response.json()["request_id"]}

    @pytest.mark.urls("tests.core.urls")
    @pytest.mark.parametrize("host", ["evil.example", "testserver"])
    def test_a_fault_of_the_caller_is_no_more_than_the_request_line(self, stream: StringIO, host: str) -> None:
        Client().get("/api/v1/nothing%0a%1b[31m/", HTTP_HOST=host)
        (line,) = lines_of(stream)
        assert line["event"] == "request"
        assert line["path"] == "/api/v1/nothing\n\x1b[31m/"


class TestConsole:
    def test_escapes_of_others_are_shown_and_not_obeyed(self) -> None:
        record = a_record("%s", HOSTILE)
        line = formatted("console", record)
        assert len(line.splitlines()) == 1
        assert "\x1b[31m\u2028" not in line
        assert "\\x1b[31m\\u2028" in line

    def test_an_exception_is_readable(self) -> None:
        try:
            raise RuntimeError("why")
        except RuntimeError:
            text = formatted("console", a_record("failed", exc_info=sys.exc_info()))
        assert "Traceback" in text
        assert text.count("\n") >= 3


class TestSettings:
    def test_servers_write_through_our_handler(self) -> None:
        loggers = logging_settings(log_format="json")["loggers"]
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "django", "django.server"):
            assert loggers[name]["handlers"] == []
            assert loggers[name]["propagate"] is True
