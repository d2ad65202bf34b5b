"""The network and Judge0's refusals: which exception each fault becomes."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
from freezegun import freeze_time
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError

from executor.engines.base import EngineBusy, EngineError, EngineProtocolError, EngineRejected, EngineUnavailable
from executor.engines.judge0 import Judge0Engine, faults
from executor.engines.judge0.faults import Misdirected
from tests.executor.judge0.support import (
    ANSWERS,
    BATCH,
    KEY,
    OTHER_TOKEN,
    URL,
    FakeJudge0,
    answering,
    b64,
    engine_with,
    mounted,
    recorded_job,
    refusal,
    request_of,
)

UNRESOLVED = NameResolutionError("judge0.test", HTTPConnection("judge0.test"), socket.gaierror(-2, "unknown"))


class ExternalIntegrationTestCase:
    """Lines 1 to 7 of the test plan. A poll's faults that pass are in test_polling.py, sockets' in test_loopback.py."""

    def test_a_success_is_parsed_and_mapped(self) -> None:
        created = json.loads(ANSWERS["batch-created"]["body"])
        tokens = [item["token"] for item in created]
        items = [
            recorded_job("accepted", token=tokens[1], stdout=b64(b"second")),
            recorded_job("accepted", token=tokens[0], stdout=b64(b"first")),
        ]
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.post(BATCH, **refusal("batch-created"))
            mock.get(BATCH, json={"submissions": items})
            FakeJudge0().mount(mock)
            report = engine_with().run(request_of(b"a", b"b"))
        assert [result.stdout for result in report.results] == [b"first", b"second"]
        assert [result.time_ms for result in report.results] == [12, 12]

    @pytest.mark.parametrize(
        ("answer", "error", "says"),
        [
            ("malformed-json", EngineRejected, "Bad Request"),
            ("malformed-json-empty", EngineRejected, "no reason"),
            ("over-the-batch-limit", EngineRejected, "less than or equal to 20"),
            ("batches-denied", EngineRejected, "batched submissions are not allowed"),
            ("not-utf8", EngineRejected, "base64_encoded=true"),
            ("auth-missing", Misdirected, "JUDGE0_AUTH_TOKEN"),
            ("auth-wrong", Misdirected, "JUDGE0_AUTH_TOKEN"),
            ("forbidden", Misdirected, "JUDGE0_AUTH_TOKEN"),
            ("unknown-path", Misdirected, "JUDGE0_URL"),
            ("cpu-above-max", EngineRejected, "cpu_time_limit: must be less than or equal to 15.0"),
            ("empty-source", EngineRejected, "source_code: can't be blank"),
            ("all-invalid", EngineRejected, "source_code: can't be blank"),
            ("additional-files-denied", EngineRejected, "setting additional files is not allowed"),
            ("network-denied", EngineRejected, "enabling network is not allowed"),
            ("queue-full", EngineBusy, "queue is full"),
            ("maintenance", EngineBusy, "in maintenance"),
        ],
    )
    def test_each_recorded_refusal_of_a_batch_is_named(self, answer: str, error: type[EngineError], says: str) -> None:
        with answering("POST", BATCH, **refusal(answer)), pytest.raises(EngineError) as caught:
            engine_with().run(request_of(b"a", b"b"))
        assert type(caught.value) is error
        assert says in str(caught.value)

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, EngineRejected),
            (401, Misdirected),
            (403, Misdirected),
            (404, Misdirected),
            (405, Misdirected),
            (413, EngineRejected),
            (418, EngineRejected),
            (422, EngineRejected),
            (408, EngineUnavailable),
            (425, EngineUnavailable),
            (429, EngineBusy),
            (500, EngineUnavailable),
            (502, EngineUnavailable),
            (503, EngineUnavailable),
            (504, EngineUnavailable),
            (599, EngineUnavailable),
            (200, EngineProtocolError),
            (202, EngineProtocolError),
            (204, EngineProtocolError),
        ],
    )
    @pytest.mark.parametrize("body", ["", "<html><h1>proxy</h1></html>", "[[[", '{"error": {"deep": [1]}}'])
    def test_each_status_means_one_thing_whatever_its_body(
        self, status: int, error: type[EngineError], body: str
    ) -> None:
        with answering("POST", BATCH, status=status, body=body), pytest.raises(EngineError) as caught:
            engine_with().run(request_of(b"a"))
        assert type(caught.value) is error

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (requests.ConnectionError(UNRESOLVED), EngineUnavailable),
            (requests.exceptions.SSLError("certificate verify failed"), EngineUnavailable),
            (requests.ConnectTimeout("slow"), EngineUnavailable),
            (requests.ReadTimeout("slow"), EngineUnavailable),
            (requests.ConnectionError("reset by peer"), EngineUnavailable),
            (requests.exceptions.ChunkedEncodingError("cut"), EngineUnavailable),
            (ConnectionResetError(104, "reset"), EngineUnavailable),
            (requests.exceptions.InvalidURL("bad"), EngineRejected),
        ],
        ids=["DNS", "TLS", "connect timeout", "read timeout", "reset", "cut", "bare reset", "address"],
    )
    def test_each_fault_of_the_network_is_named(self, fault: Exception, error: type[EngineError]) -> None:
        with answering("POST", BATCH, body=fault) as fake, pytest.raises(EngineError) as caught:
            engine_with().run(request_of(b"a"))
        assert type(caught.value) is error
        assert fake.polls == []

    @pytest.mark.parametrize(
        ("header", "wish_s"),
        [
            ("7", 7.0),
            (" 7 ", 7.0),
            ("0", 0.0),
            ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
            ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
            ("99999999999999999999", 3600.0),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("\u0667", None),
            ("", None),
            (None, None),
        ],
    )
    def test_a_rate_limit_hands_its_wish_up(self, header: str | None, wish_s: float | None) -> None:
        with freeze_time("2026-11-20 12:00:00"):
            assert faults.retry_after_s(header) == wish_s

    def test_a_503_with_a_time_is_busy_and_a_bare_one_may_be_a_proxy_whose_server_died(self) -> None:
        for headers, error in (({"Retry-After": "3"}, EngineBusy), ({}, EngineUnavailable)):
            with (
                answering("POST", BATCH, status=503, body="<html>", headers=headers),
                pytest.raises(EngineError) as caught,
            ):
                engine_with().run(request_of(b"a"))
            assert type(caught.value) is error

    def test_a_429_carries_the_wish_in_the_exception(self) -> None:
        headers = {"Retry-After": "11"}
        with answering("POST", BATCH, status=429, headers=headers), pytest.raises(EngineUnavailable) as caught:
            engine_with().run(request_of(b"a"))
        assert caught.value.retry_after_s == 11

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            '[{"token": "2f5b3fb6-f1b5-4293',
            "<html>502</html>",
            "null",
            "true",
            "7",
            '"token"',
            "{}",
            '{"token": "2f5b3fb6-f1b5-4293-afbf-88e54743833f"}',
            "[]",
            "[null]",
            "[{}]",
            "[7]",
            '[["2f5b3fb6-f1b5-4293-afbf-88e54743833f"]]',
            '[{"token": 7}]',
            '[{"token": null}]',
            '[{"token": ""}]',
            '[{"token": "../about"}]',
            '[{"token": "2f5b3fb6-f1b5-4293-afbf-88e54743833f"}, {"token": "3f5b3fb6-f1b5-4293-afbf-88e54743833f"}]',
            '[{"token": NaN}]',
            "[" * 100_000,
            "[" + "9" * 10_000 + "]",
            b"[\xff\xfe]",
        ],
    )
    def test_a_created_answer_that_cannot_be_understood(self, body: str | bytes) -> None:
        with answering("POST", BATCH, status=201, body=body), pytest.raises(EngineProtocolError):
            engine_with().run(request_of(b"a"))

    def test_a_partly_refused_batch_is_refused_whole_with_its_reason(self) -> None:
        with answering("POST", BATCH, **refusal("batch-mixed")) as fake, pytest.raises(EngineRejected) as caught:
            engine_with().run(request_of(b"a", b"b", b"c"))
        assert "language with id 9999 doesn't exist" in str(caught.value)
        assert fake.polls == []

    @pytest.mark.parametrize(
        "change",
        [
            lambda items: items,
            lambda items: {"submissions": items[:-1]},
            lambda items: {"submissions": [*items, items[0]]},
            lambda items: {"submissions": [items[0], items[0]]},
            lambda items: {"submissions": [items[0], {**items[1], "token": OTHER_TOKEN}]},
            lambda items: {"submissions": [items[0], {**items[1], "token": None}]},
            lambda items: {"submissions": [items[0], "done"]},
            lambda items: {"submissions": [items[0], {}]},
            lambda items: {"submissions": [items[0], {"token": items[1]["token"], "status_id": 3}]},
            lambda items: {"submissions": {"0": items[0], "1": items[1]}},
            lambda items: {"jobs": items},
            lambda _: None,
        ],
        ids=[
            "bare list", "one short", "one more", "the same twice", "a foreign token", "no token", "a word", "empty",
            "fields missing", "an object", "another name", "null",
        ],
    )  # fmt: skip
    def test_a_poll_that_cannot_be_understood(self, change: Callable[[list[Any]], object]) -> None:
        fake = FakeJudge0()
        fake.change_poll = change
        with mounted(fake), pytest.raises(EngineProtocolError):
            engine_with().run(request_of(b"a", b"b"))
        assert len(fake.polls) == 1

    def test_an_invalid_key_is_told_by_the_health_and_by_a_run(self) -> None:
        for path in ("about", "config_info"):
            with answering("GET", f"{URL}/{path}", **refusal("auth-wrong")):
                health = engine_with().health()
            assert not health.is_ready
            assert "JUDGE0_AUTH_TOKEN" in health.detail
            assert KEY not in health.detail
        with (
            answering("GET", f"{URL}/config_info", **refusal("auth-wrong")),
            pytest.raises(Misdirected, match="JUDGE0_AUTH_TOKEN") as caught,
        ):
            engine_with().run(request_of(b"a"))
        # It needs a person: asking again every second would only fill the log.
        assert caught.value.retry_after_s == 30

    def test_a_valid_key_travels_with_every_call(self) -> None:
        with mounted(FakeJudge0()) as fake:
            engine_with().run(request_of(b"a"))
            assert engine_with().health().is_ready
        assert {call.headers["X-Auth-Token"] for call in fake.calls} == {KEY}

    def test_a_server_without_keys_is_sent_none(self) -> None:
        with mounted(FakeJudge0()) as fake:
            Judge0Engine(base_url=URL).health()
        assert not any("X-Auth-Token" in call.headers for call in fake.calls)
