"""Judge0 and the network at their worst: which exception each fault becomes, and what that hides."""

import contextlib
import json
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses
from freezegun import freeze_time
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError

from executor.engines.base import EngineError, EngineProtocolError, EngineRejected, EngineUnavailable
from executor.engines.judge0 import Judge0Engine, client, faults, wire
from executor.judging.languages import LANGUAGES
from tests.executor.judge0.support import (
    ANSWERS,
    CPP,
    KEY,
    PYTHON,
    SERVER,
    URL,
    C,
    FakeJudge0,
    b64,
    engine_with,
    mounted,
    recorded_job,
    request_of,
)

OTHER_TOKEN = "00000000-0000-0000-0000-000000000000"
BATCH = f"{URL}/submissions/batch"
UNRESOLVED = NameResolutionError("judge0.test", HTTPConnection("judge0.test"), socket.gaierror(-2, "unknown"))


@contextlib.contextmanager
def answering(method: str, url: str, **reply: Any) -> Iterator[FakeJudge0]:
    """A well-behaved Judge0 but for one address."""
    fake = FakeJudge0()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(method, url, **reply)
        fake.mount(mock)
        yield fake


def refusal(name: str) -> dict[str, Any]:
    answer = ANSWERS[name]
    return {"status": answer["status"], "body": answer["body"], "content_type": answer["content_type"]}


def said_by(error: BaseException) -> str:
    """All that a log could show of an exception, with everything chained to it."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__) + repr(error.__cause__)


class ExternalIntegrationTestCase:
    """Lines 1 to 7 of the test plan. A poll's faults that pass are in test_run.py, sockets' in test_loopback.py."""

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
            ("auth-missing", EngineRejected, "JUDGE0_AUTH_TOKEN"),
            ("auth-wrong", EngineRejected, "JUDGE0_AUTH_TOKEN"),
            ("forbidden", EngineRejected, "JUDGE0_AUTH_TOKEN"),
            ("unknown-path", EngineRejected, "JUDGE0_URL"),
            ("cpu-above-max", EngineRejected, "cpu_time_limit: must be less than or equal to 15.0"),
            ("empty-source", EngineRejected, "source_code: can't be blank"),
            ("all-invalid", EngineRejected, "source_code: can't be blank"),
            ("additional-files-denied", EngineRejected, "setting additional files is not allowed"),
            ("network-denied", EngineRejected, "enabling network is not allowed"),
            ("queue-full", EngineUnavailable, "503"),
            ("maintenance", EngineUnavailable, "503"),
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
            (404, EngineRejected),
            (405, EngineRejected),
            (413, EngineRejected),
            (418, EngineRejected),
            (422, EngineRejected),
            (408, EngineUnavailable),
            (425, EngineUnavailable),
            (429, EngineUnavailable),
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
            pytest.raises(EngineRejected, match="JUDGE0_AUTH_TOKEN"),
        ):
            engine_with().run(request_of(b"a"))

    def test_a_valid_key_travels_with_every_call(self) -> None:
        with mounted(FakeJudge0()) as fake:
            engine_with().run(request_of(b"a"))
            assert engine_with().health().is_ready
        assert {call.headers["X-Auth-Token"] for call in fake.calls} == {KEY}

    def test_a_server_without_keys_is_sent_none(self) -> None:
        with mounted(FakeJudge0()) as fake:
            Judge0Engine(base_url=URL).health()
        assert not any("X-Auth-Token" in call.headers for call in fake.calls)


class CrossAssignmentTestCase:
    """F-25: a result must never reach another program."""

    def test_a_token_twice_in_one_batch_is_refused(self) -> None:
        fake = FakeJudge0()
        fake.change_created = lambda items: [items[0], items[0]]
        with mounted(fake), pytest.raises(EngineProtocolError, match="same token"):
            engine_with().run(request_of(b"a", b"b"))
        assert fake.polls == []

    def test_another_runs_token_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        replayed = {"token": "2f5b3fb6-f1b5-4293-afbf-88e54743833f"}

        def run_twice() -> list[bytes]:
            engine, fake = engine_with(), FakeJudge0()
            fake.change_created = lambda _: [replayed]
            with mounted(fake):
                fake.states[replayed["token"]] = [recorded_job("accepted", **replayed, stdout=b64(b"first"))]
                engine.run(request_of(b"first"))
                return [result.stdout for result in engine.run(request_of(b"second")).results]

        with pytest.raises(EngineProtocolError, match="same token"):
            run_twice()
        # Control: without the memory of tokens, the second program gets the first one's result.
        monkeypatch.setattr(client.Judge0Client, "_remember", lambda *_: None)
        assert run_twice() == [b"first"]

    def test_the_memory_of_tokens_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "REMEMBERED_TOKENS", 10)
        engine = engine_with()
        with mounted(FakeJudge0()):
            for _ in range(5):
                engine.run(request_of(*[b"x"] * 8))
        assert len(engine._client._seen) == 10


class SecretsTestCase:
    """The key opens the Judge0 and a token a whole submission (J-12): neither may reach a log or an exception."""

    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 422, "json": {"error": f"key {KEY} may not do that with {OTHER_TOKEN}"}},
            {"status": 400, "json": {KEY: [OTHER_TOKEN]}},
            {"status": 201, "json": [{"language_id": [f"{KEY} {OTHER_TOKEN}"]}]},
            {"status": 401, "body": KEY},
            {"body": requests.ConnectionError(f"Max retries exceeded with url: /x?tokens={OTHER_TOKEN} {KEY}")},
            {"body": requests.exceptions.InvalidHeader(f"Invalid header X-Auth-Token: {KEY} {OTHER_TOKEN}")},
            {"body": requests.exceptions.SSLError(f"{KEY} {OTHER_TOKEN}")},
        ],
    )
    def test_no_exception_shows_them(self, fault: dict[str, Any]) -> None:
        with answering("POST", BATCH, **fault), pytest.raises(EngineError) as caught:
            engine_with().run(request_of(b"a"))
        said = said_by(caught.value)
        assert KEY not in said
        assert OTHER_TOKEN not in said

    def test_a_failing_polls_exception_holds_no_token(self) -> None:
        fake = FakeJudge0()
        with mounted(fake):
            fake.poll_faults = [requests.ConnectionError("with url: /submissions/batch?tokens=secret")] * 6
            with pytest.raises(EngineUnavailable) as caught:
                engine_with().run(request_of(b"a"))
        said = said_by(caught.value)
        assert "tokens=" not in said
        assert not any(token in said for token in fake.states)
        # Control: a library's exception, chained as `raise ... from` would, is found by the same look.
        token = next(iter(fake.states))
        with pytest.raises(EngineUnavailable) as chained:
            raise EngineUnavailable("the poll failed") from fake_library_error(token)
        assert token in said_by(chained.value)

    def test_a_servers_words_are_short_and_plain(self) -> None:
        hostile = {"error": "\u202e\x1b[31m\n" + "x" * 10_000}
        with answering("POST", BATCH, status=422, json=hostile), pytest.raises(EngineRejected) as caught:
            engine_with().run(request_of(b"a"))
        assert len(str(caught.value)) < 400
        assert str(caught.value).isprintable()
        assert str(caught.value).isascii()

    def test_urllib3s_debug_log_does_not_show_the_tokens(self, caplog: pytest.LogCaptureFixture) -> None:
        engine_with()
        logger = logging.getLogger("urllib3.connectionpool")
        line = ('%s "GET %s"', "http://judge0.test", f"/submissions/batch?tokens={OTHER_TOKEN}")
        with caplog.at_level(logging.DEBUG, logger="urllib3.connectionpool"):
            logger.debug(*line)
            assert OTHER_TOKEN not in caplog.text
            # Control: without the filter, it does.
            logger.removeFilter(wire._hides_tokens)
            try:
                logger.debug(*line)
            finally:
                logger.addFilter(wire._hides_tokens)
            assert OTHER_TOKEN in caplog.text

    @pytest.mark.parametrize(
        "settings",
        [
            {"base_url": "ftp://judge0.test"},
            {"base_url": "judge0.test:2358"},
            {"base_url": "http://"},
            {"base_url": "http://judge0.test:99999"},
            {"base_url": "http://judge0.test/?x=1"},
            {"base_url": "http://someone:pa55word@judge0.test"},
            {"base_url": URL, "auth_token": "k3y\nX-Other: 1"},
            {"base_url": URL, "auth_token": "k3y "},
            {"base_url": URL, "auth_token": "k3y\u00e9"},
        ],
    )
    def test_settings_that_can_never_work_are_refused_without_being_shown(self, settings: dict[str, str]) -> None:
        with pytest.raises(ValueError, match=r"Judge0|[Pp]ort") as caught:
            Judge0Engine(**settings)  # type: ignore[arg-type]
        assert "k3y" not in str(caught.value)
        assert "pa55word" not in str(caught.value)


def fake_library_error(token: str) -> requests.ConnectionError:
    return requests.ConnectionError(f"Max retries exceeded with url: /submissions/batch?tokens={token}")


class HostileServerTestCase:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        elsewhere = "http://169.254.169.254/latest"
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.get(f"{URL}/config_info", status=status, headers={"Location": elsewhere})
            followed = mock.get(elsewhere, json=SERVER["config_info"])
            with pytest.raises(EngineRejected, match="redirect"):
                engine_with().run(request_of(b"a"))
        assert followed.call_count == 0

    def test_a_redirect_would_be_followed_if_it_were_not_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The control of the test above."""
        real = requests.Session.request

        def following(self: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
            return real(self, *args, **{**kwargs, "allow_redirects": True})

        monkeypatch.setattr(requests.Session, "request", following)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.get(f"{URL}/config_info", status=302, headers={"Location": "http://elsewhere.test/"})
            followed = mock.get("http://elsewhere.test/", json={})
            with pytest.raises(EngineError):
                engine_with().run(request_of(b"a"))
        assert followed.call_count == 1

    def test_a_body_over_the_cap_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        padded = {**SERVER["config_info"], "padding": "x" * (2 * client.SMALL_ANSWER_BYTES)}
        with (
            answering("GET", f"{URL}/config_info", json=padded),
            pytest.raises(EngineProtocolError, match="more than"),
        ):
            engine_with().run(request_of(b"a"))
        # Control: it is the cap, and nothing else about the body.
        monkeypatch.setattr(client, "SMALL_ANSWER_BYTES", 4 * client.SMALL_ANSWER_BYTES)
        with answering("GET", f"{URL}/config_info", json=padded):
            assert len(engine_with().run(request_of(b"a")).results) == 1

    def test_results_over_the_cap_are_asked_for_in_halves(self) -> None:
        large = recorded_job("accepted", stdout=b64(b"x" * 100_000))
        engine = engine_with()
        engine._client._results_bytes = 450_000
        with mounted(FakeJudge0(lambda *_: [large])) as fake:
            report = engine.run(request_of(*[b""] * 8))
        assert [len(result.stdout) for result in report.results] == [100_000] * 8
        assert [len(tokens) for tokens in fake.polls] == [8, 4, 2, 2, 4, 2, 2]

    def test_one_result_over_the_cap_is_refused(self) -> None:
        engine = engine_with()
        engine._client._results_bytes = 50_000
        large = recorded_job("accepted", stdout=b64(b"x" * 100_000))
        with mounted(FakeJudge0(lambda *_: [large])), pytest.raises(EngineProtocolError, match="more than"):
            engine.run(request_of(b"", b""))

    def test_a_compressed_answer_is_refused_unread(self) -> None:
        headers = {"Content-Encoding": "gzip"}
        with (
            answering("GET", f"{URL}/config_info", body=b"\x1f\x8b" * 100, headers=headers),
            pytest.raises(EngineProtocolError, match="compressed"),
        ):
            engine_with().run(request_of(b"a"))

    def test_a_servers_cookies_are_not_kept(self) -> None:
        headers = {"Set-Cookie": "id=1; Path=/"}
        with answering("GET", f"{URL}/config_info", json=SERVER["config_info"], headers=headers) as fake:
            engine_with().run(request_of(b"a"))
        assert not any("Cookie" in call.headers for call in fake.calls)

    @pytest.mark.parametrize(
        "config",
        [
            [],
            None,
            {},
            {**SERVER["config_info"], "max_memory_limit": "512000"},
            {**SERVER["config_info"], "max_memory_limit": -1},
            {**SERVER["config_info"], "max_cpu_time_limit": True},
            {**SERVER["config_info"], "max_cpu_time_limit": 1e300},
            {**SERVER["config_info"], "max_wall_time_limit": None},
            {**SERVER["config_info"], "max_submission_batch_size": 0},
            {**SERVER["config_info"], "max_submission_batch_size": "20"},
            {**SERVER["config_info"], "enable_batched_submissions": "yes"},
            {**SERVER["config_info"], "enable_additional_files": 1},
        ],
    )
    def test_limits_that_cannot_be_are_refused(self, config: object) -> None:
        with answering("GET", f"{URL}/config_info", json=config), pytest.raises(EngineProtocolError):
            engine_with().run(request_of(b"a"))

    @pytest.mark.parametrize(
        "languages",
        [{}, None, [None], [{"id": "71", "name": "Python (3.11.2)"}], [{"id": True, "name": "x"}], [{"id": 71}]],
    )
    def test_languages_that_cannot_be_are_refused(self, languages: object) -> None:
        with answering("GET", f"{URL}/languages", json=languages), pytest.raises(EngineProtocolError):
            engine_with().run(request_of(b"a"))

    @pytest.mark.parametrize("answer", [[], None, {"compile_cmd": 7}, {"compile_cmd": None, "run_cmd": ["node"]}])
    def test_commands_that_cannot_be_are_refused(self, answer: object) -> None:
        request = request_of(b"a", toolchain=C, files={"main.c": ""})
        with answering("GET", f"{URL}/languages/50", json=answer), pytest.raises(EngineProtocolError):
            engine_with().run(request)


class HealthTestCase:
    def test_a_judge0_that_can_be_used(self) -> None:
        with mounted(FakeJudge0()):
            health = engine_with().health()
        assert (health.is_ready, health.tier) == (True, "judge0")
        assert health.detail == "Judge0 1.13.1 at judge0.test answers, with 9 languages."

    def test_maintenance_is_told(self) -> None:
        fake = FakeJudge0()
        fake.config["maintenance_mode"] = True
        with mounted(fake):
            health = engine_with().health()
        assert not health.is_ready
        assert "maintenance" in health.detail

    def test_denied_batches_name_the_setting(self) -> None:
        fake = FakeJudge0()
        fake.config = dict(SERVER["config_info_denying"])
        with mounted(fake):
            health = engine_with().health()
        assert not health.is_ready
        assert "ENABLE_BATCHED_SUBMISSIONS" in health.detail

    @pytest.mark.parametrize(
        "reply",
        [
            {"body": requests.ConnectionError("no")},
            {"body": requests.exceptions.SSLError("no")},
            {"body": "<html>"},
            {"body": ""},
            {"json": None},
            {"json": {"version": 1}},
            {"body": "[" * 100_000},
            {"status": 500},
            {"status": 302, "headers": {"Location": "/"}},
            {"status": 404},
        ],
    )
    @pytest.mark.parametrize("path", ["about", "config_info", "languages"])
    def test_whatever_is_answered_it_never_raises(self, path: str, reply: dict[str, Any]) -> None:
        with answering("GET", f"{URL}/{path}", **reply):
            health = engine_with().health()
        assert not health.is_ready
        assert "judge0.test" in health.detail


class MissingLanguageTestCase:
    @pytest.mark.parametrize("key", sorted(LANGUAGES))
    def test_nothing_is_missing_on_a_usual_judge0(self, key: str) -> None:
        with mounted(FakeJudge0()):
            assert engine_with().missing_for(LANGUAGES[key].toolchain) is None

    def test_a_language_it_lacks_is_named(self) -> None:
        fake = FakeJudge0()
        fake.languages = [item for item in fake.languages if item["id"] != 54]
        with mounted(fake):
            engine = engine_with()
            assert "C++ (GCC" in str(engine.missing_for(CPP))
            assert engine.missing_for(C) is None

    def test_a_server_for_single_files_runs_python_only(self) -> None:
        fake = FakeJudge0()
        fake.config["enable_additional_files"] = False
        with mounted(fake):
            engine = engine_with()
            assert "ENABLE_ADDITIONAL_FILES" in str(engine.missing_for(C))
            assert engine.missing_for(PYTHON) is None

    def test_a_compiler_it_does_not_name_is_named(self) -> None:
        with answering("GET", f"{URL}/languages/50", json={"compile_cmd": "clang main.c", "run_cmd": "./a.out"}):
            assert "'gcc'" in str(engine_with().missing_for(C))

    @pytest.mark.parametrize("reply", [{"status": 503}, {"status": 401}, {"body": "<html>"}])
    def test_a_server_that_cannot_be_asked_says_nothing_of_languages(self, reply: dict[str, Any]) -> None:
        with answering("GET", f"{URL}/config_info", **reply), pytest.raises(EngineUnavailable):
            engine_with().missing_for(PYTHON)
