"""What is kept of a server and for how long; and a health that is true, quick and cheap."""

import socket
import threading
import time
from collections.abc import Sequence

import pytest

from executor.engines.base import EngineHealth, EngineRejected, EngineUnavailable, Toolchain
from executor.engines.judge0 import Judge0Engine, server
from executor.engines.judge0.breaker import FAULTS_TO_OPEN
from tests.executor.judge0.support import (
    CPP,
    JAVA,
    KEY,
    PYTHON,
    SERVER,
    URL,
    FakeClock,
    FakeJudge0,
    Item,
    RawServer,
    engine_with,
    mounted,
    refusal,
    request_of,
)


def asked(fake: FakeJudge0, path: str) -> int:
    return sum(str(call.url).removeprefix(URL).split("?")[0] == path for call in fake.calls)


def engine_for(*toolchains: Toolchain, clock: FakeClock | None = None) -> Judge0Engine:
    clock = clock or FakeClock()
    return Judge0Engine(base_url=URL, auth_token=KEY, toolchains=toolchains, clock=clock, sleep=clock.sleep)


def health_of(fake: FakeJudge0, toolchains: Sequence[Toolchain] = ()) -> EngineHealth:
    with mounted(fake):
        return engine_for(*toolchains).health()


def silence(_connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(30)


class KnownServerTestCase:
    def test_what_the_health_learned_serves_the_first_run(self) -> None:
        engine = engine_with()
        with mounted(FakeJudge0()) as fake:
            engine.health()
            engine.run(request_of(b"x"))
        assert [asked(fake, path) for path in ("/about", "/config_info", "/languages")] == [1, 1, 1]

    def test_it_is_read_again_after_five_minutes(self) -> None:
        clock = FakeClock()
        engine = engine_with(clock)
        with mounted(FakeJudge0()) as fake:
            for _ in range(3):
                engine.run(request_of(b"x"))
                clock.now_s += 299
                engine.run(request_of(b"x"))
                clock.now_s += 2
        assert [asked(fake, path) for path in ("/about", "/config_info", "/languages")] == [3, 3, 3]

    def test_it_is_read_again_after_a_refusal(self) -> None:
        engine = engine_with()
        with mounted(FakeJudge0()) as fake:
            fake.post_faults = [(422, {}, '[{"language_id": ["language with id 71 doesn\'t exist"]}]')]
            with pytest.raises(EngineRejected):
                engine.run(request_of(b"x"))
            engine.run(request_of(b"x"))
        assert asked(fake, "/languages") == 2

    def test_a_change_that_the_health_sees_holds_for_the_next_run(self) -> None:
        clock, fake = FakeClock(), FakeJudge0()
        engine = engine_with(clock)
        with mounted(fake):
            engine.run(request_of(b"x"))
            fake.config["enable_batched_submissions"] = False
            clock.now_s += server.HEALTH_MAX_AGE_S
            assert not engine.health().is_ready
            with pytest.raises(EngineRejected, match="ENABLE_BATCHED_SUBMISSIONS"):
                engine.run(request_of(b"x"))

    def test_of_many_threads_one_asks(self) -> None:
        engine = engine_with()
        with mounted(FakeJudge0()) as fake:
            threads = [threading.Thread(target=engine._server.capabilities) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
        assert asked(fake, "/config_info") == 1


class HealthTestCase:
    def test_the_answer_of_the_last_seconds_serves(self) -> None:
        clock = FakeClock()
        engine = engine_with(clock)
        with mounted(FakeJudge0()) as fake:
            for _ in range(100):
                assert engine.health().is_ready
            asked_at_once = len(fake.calls)
            clock.now_s += server.HEALTH_MAX_AGE_S
            engine.health()
        # Later it is one request: what does not change is not asked again.
        assert (asked_at_once, len(fake.calls)) == (3, 4)

    def test_without_that_every_probe_would_be_a_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The control of the test above."""
        monkeypatch.setattr(server, "HEALTH_MAX_AGE_S", 0.0)
        engine = engine_with()
        with mounted(FakeJudge0()) as fake:
            for _ in range(100):
                engine.health()
        assert len(fake.calls) == 102

    def test_but_not_where_something_has_failed_since(self) -> None:
        """Whether a fault is charged to a submission is decided by the health right after it."""
        engine, fake = engine_with(), FakeJudge0()
        with mounted(fake):
            assert engine.health().is_ready
            fake.post_faults = [(500, {}, "")]
            with pytest.raises(EngineUnavailable):
                engine.run(request_of(b"x"))
            fake.config["maintenance_mode"] = True
            assert not engine.health().is_ready

    def test_an_open_breaker_is_told_and_nothing_is_asked(self) -> None:
        clock, fake = FakeClock(), FakeJudge0()
        engine = engine_with(clock)
        with mounted(fake):
            fake.post_faults = [(500, {}, "")] * FAULTS_TO_OPEN
            for _ in range(FAULTS_TO_OPEN):
                with pytest.raises(EngineUnavailable):
                    engine.run(request_of(b"x"))
            fake.calls.clear()
            health = engine.health()
            assert fake.calls == []
            clock.now_s += 60
            later = engine.health()
        assert (health.is_ready, later.is_ready) == (False, True)
        assert "left alone" in health.detail

    @pytest.mark.parametrize("answer", ["auth-missing", "auth-wrong", "forbidden"])
    def test_a_key_that_became_wrong_is_told(self, answer: str) -> None:
        clock = FakeClock()
        engine = engine_with(clock)
        with mounted(FakeJudge0()) as fake:
            assert engine.health().is_ready
            clock.now_s += server.HEALTH_MAX_AGE_S
            with pytest.MonkeyPatch.context() as patched:
                recorded = refusal(answer)
                patched.setattr(fake, "_reply", lambda *_: (recorded["status"], {}, recorded["body"]))
                health = engine.health()
        assert not health.is_ready
        assert "JUDGE0_AUTH_TOKEN" in health.detail

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"max_cpu_time_limit": 1.5}, "max_cpu_time_limit is 1.5 s, less than 2"),
            ({"max_wall_time_limit": 4.0}, "max_wall_time_limit is 4 s"),
            ({"max_memory_limit": 128_000}, "max_memory_limit is 128000 KiB"),
            ({"max_max_file_size": 512}, "max_max_file_size is 512 KiB"),
            ({"maintenance_mode": True}, "maintenance"),
            ({"enable_batched_submissions": False}, "ENABLE_BATCHED_SUBMISSIONS"),
        ],
    )
    def test_a_server_that_cannot_be_worked_with_is_told(self, changes: Item, says: str) -> None:
        fake = FakeJudge0()
        assert health_of(fake).is_ready
        fake.config |= changes
        health = health_of(fake)
        assert not health.is_ready
        assert says in health.detail

    def test_a_missing_language_is_told_and_all_missing_is_unready(self) -> None:
        fake = FakeJudge0()
        assert health_of(fake, (PYTHON, JAVA)).detail.endswith("9 languages.")
        fake.languages = [item for item in SERVER["languages"] if not item["name"].startswith("Java (")]
        health = health_of(fake, (PYTHON, JAVA))
        assert health.is_ready
        assert "'Java (OpenJDK'" in health.detail
        assert not health_of(fake, (JAVA,)).is_ready
        fake.languages = []
        assert not health_of(fake).is_ready

    def test_compiled_languages_need_several_files(self) -> None:
        fake = FakeJudge0()
        fake.config["enable_additional_files"] = False
        assert "ENABLE_ADDITIONAL_FILES" in health_of(fake, (PYTHON, CPP)).detail
        assert not health_of(fake, (CPP,)).is_ready

    def test_a_silent_server_is_told_in_two_seconds_to_every_thread(self) -> None:
        took_s: list[float] = []
        with RawServer(silence) as quiet:
            # The usual timeouts: three seconds to connect, ten to read.
            engine = Judge0Engine(base_url=quiet.url)

            def ask() -> None:
                started = time.monotonic()
                assert not engine.health().is_ready
                took_s.append(time.monotonic() - started)

            threads = [threading.Thread(target=ask) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
        assert len(took_s) == 5
        assert max(took_s) < 3.0
        assert quiet.connections == 1

    def test_without_its_budget_it_would_take_as_long_as_a_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The control of the test above."""
        monkeypatch.setattr(server, "HEALTH_BUDGET_S", 60.0)
        with RawServer(silence) as quiet:
            engine = Judge0Engine(base_url=quiet.url)
            thread = threading.Thread(target=engine.health, daemon=True)
            thread.start()
            thread.join(3.0)
            assert thread.is_alive()
        thread.join(10)
