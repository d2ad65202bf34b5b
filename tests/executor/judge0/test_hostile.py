"""A Judge0 that cannot be trusted: mixed tokens, redirects, huge and false answers; and what must never be shown."""

import logging
import traceback
from typing import Any

import pytest
import requests
import responses

from executor.engines.base import EngineError, EngineProtocolError, EngineRejected, EngineUnavailable
from executor.engines.judge0 import Judge0Engine, client, wire
from executor.engines.judge0.faults import Misdirected
from tests.executor.judge0.support import (
    BATCH,
    KEY,
    OTHER_TOKEN,
    SERVER,
    URL,
    C,
    FakeJudge0,
    answering,
    b64,
    engine_with,
    mounted,
    recorded_job,
    request_of,
)


def said_by(error: BaseException) -> str:
    """All that a log could show of an exception, with everything chained to it."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__) + repr(error.__cause__)


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
            with pytest.raises(Misdirected, match="redirect"):
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
