"""A process that cannot start says why in one line; production is closed where it should be, and needs no internet."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from django.conf import settings
from django.test import Client

from tests.core.live import LiveServer, live_server, process_environment, run_manage

pytestmark = pytest.mark.django_db
PRODUCTION = {
    "ASSAY_PRODUCTION": "1",
    "SECRET_KEY": "a-Key_0f.production-that-1s-long-enough-for-everybody-42",
    "ALLOWED_HOSTS": "assay.example",
}
BEHIND_PROXY = {"Host": "assay.example", "X-Forwarded-Proto": "https"}
FAULTS = {
    "no key": ({"ASSAY_PRODUCTION": "1"}, "SECRET_KEY is missing"),
    "contradiction": ({"JUDGE0_URL": "http://127.0.0.1:2358"}, "JUDGE0_URL is set but EXECUTOR_ENGINE"),
    "no place for the key": ({"ASSAY_DATA_DIR": "/dev/null/assay"}, "the secret key cannot be kept"),
}


class Addresses(HTMLParser):
    """Everything a page refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.has_inline_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for name in ("src", "href") if (value := given.get(name))]
        if tag == "script" and "src" not in given:
            self.has_inline_script = True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[LiveServer]:
    directory = tmp_path_factory.mktemp("production")
    environment = process_environment(directory, ASSAY_STATIC_ROOT=str(directory / "static"), **PRODUCTION)
    collected = run_manage("collectstatic", "--no-input", environment=environment)
    assert collected.returncode == 0, collected.stderr
    with live_server(directory, environment=environment) as running:
        yield running


class TestRefusal:
    @pytest.mark.parametrize(("variables", "why"), FAULTS.values(), ids=FAULTS.keys())
    @pytest.mark.parametrize(
        "command",
        [["manage.py", "check"], ["-m", "uvicorn", "config.asgi:application", "--port", "0"]],
        ids=["manage.py", "uvicorn"],
    )
    def test_it_is_one_line_and_no_traceback(
        self, tmp_path: Path, command: list[str], variables: dict[str, str], why: str
    ) -> None:
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=process_environment(tmp_path, **variables),
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert ended.returncode != 0
        assert ended.stdout == ""
        (line,) = ended.stderr.splitlines()
        assert line.startswith(f"assay: {why}")


class TestProduction:
    def test_the_deployment_check_is_clean(self, tmp_path: Path) -> None:
        environment = process_environment(tmp_path, **PRODUCTION)
        checked = run_manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)
        assert checked.returncode == 0, checked.stderr
        assert "no issues (0 silenced)" in checked.stdout

    def test_outside_production_the_same_check_complains(self, tmp_path: Path) -> None:
        checked = run_manage("check", "--deploy", "--fail-level", "WARNING", environment=process_environment(tmp_path))
        assert checked.returncode != 0
        assert "security.W004" in checked.stderr

    def test_plain_http_is_sent_to_tls_and_probes_are_not(self, server: LiveServer) -> None:
        answer = requests.get(
            server.url + "/api/v1/x/", headers={"Host": "assay.example"}, allow_redirects=False, timeout=10
        )
        assert (answer.status_code, answer.headers["Location"]) == (301, "https://assay.example/api/v1/x/")
        assert requests.get(server.url + "/healthz", allow_redirects=False, timeout=10).status_code == 200

    def test_answers_over_tls_ask_for_more_of_it(self, server: LiveServer) -> None:
        answer = requests.get(server.url + "/api/v1/x/", headers=BEHIND_PROXY, timeout=10)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "includeSubDomains" in answer.headers["Strict-Transport-Security"]

    def test_a_foreign_host_is_refused(self, server: LiveServer) -> None:
        answer = requests.get(server.url + "/api/v1/x/", headers={**BEHIND_PROXY, "Host": "evil.example"}, timeout=10)
        assert answer.status_code == 400

    def test_the_documentation_page_needs_this_server_only(self, server: LiveServer) -> None:
        page = requests.get(server.url + "/api/docs/", headers=BEHIND_PROXY, timeout=10)
        assert page.status_code == 200
        addresses = Addresses(page.text)
        assert not addresses.has_inline_script
        assert len(addresses.found) >= 5
        assert not re.search(r"(https?:)?//", "".join(addresses.found))
        for address in addresses.found:
            asset = requests.get(urljoin(server.url + "/api/docs/", address), headers=BEHIND_PROXY, timeout=10)
            assert asset.status_code == 200, address
            assert asset.content
        hashed = [address for address in addresses.found if address.startswith("/static/")]
        assert all(re.search(r"\.[0-9a-f]{12}\.", address) for address in hashed)


class TestDocumentation:
    def test_outside_production_the_page_needs_this_server_only_too(self, client: Client) -> None:
        page = client.get("/api/docs/")
        addresses = Addresses(page.content.decode())
        assert not addresses.has_inline_script
        assert not re.search(r"(https?:)?//", "".join(addresses.found))
        for address in addresses.found:
            asset = client.get(urljoin("/api/docs/", address))
            assert asset.status_code == 200, address
            asset.close()

    @pytest.mark.urls("tests.core.urls")
    def test_an_inline_script_would_be_noticed(self, client: Client) -> None:
        assert Addresses("<script>1</script><script src='//cdn.example/x.js'></script>").has_inline_script
        assert Addresses("<script src='//cdn.example/x.js'></script>").found == ["//cdn.example/x.js"]
