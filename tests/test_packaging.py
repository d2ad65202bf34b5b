"""What is shipped besides the code: the image, the Compose file, the documents. No container engine is needed here.

These files are parsed and held against the code; whether the containers run is not shown.
"""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from dockerfile_parse import DockerfileParser

from executor.queue.messages import QUEUES

ROOT = Path(settings.BASE_DIR)
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")
# Variables of Python itself and of the shell, which are not Assay's to know.
OTHER_VARIABLES = frozenset({"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"})
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN")
# `${NAME:?message}`: Compose refuses to start without it.
REQUIRED = re.compile(r"\$\{[A-Z0-9_]+:\?[^}]+\}")
APP_SERVICES = ("migrate", "web", "worker", "errands", "beat")
WORKER_SERVICES = ("worker", "errands")
JUDGE0_SERVICES = ("judge0", "judge0-worker")


def variables_read() -> set[str]:
    """The names that `config/environment.py` asks the environment for, told by its source."""
    tree = ast.parse((ROOT / "config" / "environment.py").read_text())
    readers = [
        function
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and any(arg.arg == "variables" for arg in function.args.args)
    ]
    return {
        argument.value
        for reader in readers
        for call in ast.walk(reader)
        if isinstance(call, ast.Call)
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and VARIABLE.fullmatch(argument.value)
    }


def pinned(image: str) -> bool:
    """Whether an image is named down to its third number: `postgres:16` changes under one's feet."""
    return re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)*$", image) is not None and not image.endswith(":latest")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return document


@pytest.fixture(scope="module")
def dockerfile() -> list[dict[str, str]]:
    # The parser writes back what it reads unless it is given a file that it may not touch.
    with (ROOT / "Dockerfile").open("rb") as file:
        steps: list[dict[str, str]] = DockerfileParser(fileobj=file).structure
    return [step for step in steps if step["instruction"] != "COMMENT"]


def of(dockerfile: list[dict[str, str]], instruction: str) -> list[str]:
    return [step["value"] for step in dockerfile if step["instruction"] == instruction]


class TestEnvironment:
    def test_the_source_tells_its_variables(self) -> None:
        assert {"SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASE_POOL_SIZE", "ASSAY_DATA_DIR"} <= variables_read()

    def test_the_readme_lists_every_variable_and_no_other(self) -> None:
        table = (ROOT / "README.md").read_text().split("## Configuration")[1].split("\n## ")[0]
        assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", table, re.MULTILINE)) == variables_read()

    def test_the_image_sets_only_variables_that_are_read(self, dockerfile: list[dict[str, str]]) -> None:
        named = {name for value in of(dockerfile, "ENV") for name in re.findall(r"(?:^|\s)([A-Z0-9_]+)=", value)}
        pip = {name for name in named if name.startswith("PIP_")}
        assert named - OTHER_VARIABLES - pip <= variables_read()
        assert "ASSAY_PRODUCTION" in named

    @pytest.mark.parametrize("service", APP_SERVICES)
    def test_compose_sets_only_variables_that_are_read(self, compose: dict[str, Any], service: str) -> None:
        environment = compose["services"][service]["environment"]
        assert environment.keys() <= variables_read()
        wanted = {"ASSAY_PRODUCTION", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
        assert wanted <= environment.keys()

    def test_workers_judge_and_web_does_not(self, compose: dict[str, Any]) -> None:
        web = compose["services"]["web"]
        assert web["environment"]["EXECUTOR_WORKER_THREADS"] == "0"
        assert web["environment"]["ASSAY_PROCESS"] == "web"
        served: list[str] = []
        for name in WORKER_SERVICES:
            worker = compose["services"][name]
            assert "ASSAY_PROCESS" not in worker["environment"]
            assert worker["command"][:4] == ["celery", "-A", "config.celery", "worker"]
            served += worker["command"][worker["command"].index("-Q") + 1].split(",")
        assert sorted(served) == sorted(QUEUES)
        assert compose["services"]["beat"]["command"][:4] == ["celery", "-A", "config.celery", "beat"]

    def test_celery_s_processes_say_that_they_live_where_they_are_asked(self, compose: dict[str, Any]) -> None:
        for name in (*WORKER_SERVICES, "beat"):
            service = compose["services"][name]
            alive = service["command"][service["command"].index("--alive-file") + 1]
            assert service["healthcheck"]["test"] == ["CMD", "python", "script/healthcheck.py", alive]
            assert alive.startswith(f"{service['tmpfs'][0]}/"), "all else is read-only"

    def test_broker_and_cache_do_not_share_a_database(self, compose: dict[str, Any]) -> None:
        environment = compose["services"]["web"]["environment"]
        assert environment["CELERY_BROKER_URL"] != environment["REDIS_URL"]


class TestImage:
    def test_bases_are_pinned(self, dockerfile: list[dict[str, str]]) -> None:
        bases = [value.split()[0] for value in of(dockerfile, "FROM")]
        assert bases
        assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases)
        assert len(set(bases)) == 1, "what is built in one Python must run in the same"

    def test_it_does_not_run_as_root(self, dockerfile: list[dict[str, str]]) -> None:
        last_stage = max(i for i, step in enumerate(dockerfile) if step["instruction"] == "FROM")
        users = [step["value"] for step in dockerfile[last_stage:] if step["instruction"] == "USER"]
        assert users
        assert users[-1] not in ("root", "0")
        commands = [i for i, step in enumerate(dockerfile) if step["instruction"] in ("USER", "CMD")]
        assert dockerfile[commands[-1]]["instruction"] == "CMD"

    def test_it_says_whether_it_is_well_and_serves_asgi(self, dockerfile: list[dict[str, str]]) -> None:
        assert "healthz" in of(dockerfile, "HEALTHCHECK")[0]
        (command,) = of(dockerfile, "CMD")
        assert "config.asgi:application" in command
        assert command.startswith("["), "the shell form would swallow SIGTERM"

    def test_no_secret_is_baked_in(self, dockerfile: list[dict[str, str]]) -> None:
        for step in dockerfile:
            if step["instruction"] in ("ENV", "ARG", "LABEL"):
                assert not SECRET.search(step["value"]), step["content"]
        keys = re.findall(r"SECRET_KEY=(\S+)", "".join(step["content"] for step in dockerfile))
        assert keys
        assert all(key.startswith('"$(') for key in keys)

    def test_the_build_context_holds_every_app_and_nothing_private(self) -> None:
        lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
        allowed = {line[1:] for line in lines if line.startswith("!")}
        assert lines[0] == "*"
        apps = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
        assert apps | {"config", "manage.py", "requirements.txt"} <= allowed
        assert not {".git", ".env", "var", ".venv", "tests"} & allowed
        assert all((ROOT / name).exists() for name in allowed)

    def test_what_the_image_copies_lies_in_the_context(self, dockerfile: list[dict[str, str]]) -> None:
        for value in of(dockerfile, "COPY"):
            source = value.split()[-2]
            assert source.startswith("/opt/") or (ROOT / source).exists()


class TestCompose:
    def test_images_are_pinned(self, compose: dict[str, Any]) -> None:
        for name, service in compose["services"].items():
            assert pinned(service["image"]), name

    @pytest.mark.parametrize(
        ("image", "is_pinned"),
        [
            ("postgres", False),
            ("postgres:latest", False),
            ("postgres:16", False),
            ("postgres:16-bookworm", False),
            ("postgres:16.2-bookworm", True),
            ("judge0/judge0:1.13.1", True),
        ],
    )
    def test_what_pinned_means(self, image: str, is_pinned: bool) -> None:
        assert pinned(image) is is_pinned

    def test_every_service_says_whether_it_is_well(self, compose: dict[str, Any]) -> None:
        for name, service in compose["services"].items():
            check = service["healthcheck"]
            if name == "migrate":
                assert check == {"disable": True}
            else:
                assert check["test"][0] in ("CMD", "CMD-SHELL"), name

    def test_waiting_is_for_health_and_for_services_that_exist(self, compose: dict[str, Any]) -> None:
        services = compose["services"]
        for name, service in services.items():
            for other, how in service.get("depends_on", {}).items():
                assert other in services, name
                wanted = "service_completed_successfully" if other == "migrate" else "service_healthy"
                assert how["condition"] == wanted, name

    def test_secrets_are_asked_for_and_never_written_down(self, compose: dict[str, Any]) -> None:
        found = 0
        for name, service in compose["services"].items():
            for variable, value in service.get("environment", {}).items():
                if SECRET.search(variable):
                    assert REQUIRED.fullmatch(value), (name, variable)
                    found += 1
                elif "://" in value and "@" in value:
                    assert REQUIRED.search(value), (name, variable)
                    found += 1
        assert found >= 8
        for line in compose["configs"]["judge0"]["content"].splitlines():
            variable, _, value = line.partition("=")
            if SECRET.search(variable):
                assert REQUIRED.fullmatch(value.strip("'")), variable

    def test_the_head_of_the_file_names_every_secret(self, compose: dict[str, Any]) -> None:
        text = (ROOT / "compose.yaml").read_text()
        head = text[: text.index("name: assay")]
        required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", text))
        assert required
        assert all(re.search(rf"\b{name}\b", head) for name in required)

    def test_only_web_is_published_and_on_loopback_only(self, compose: dict[str, Any]) -> None:
        published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
        assert published == {"web": ["127.0.0.1:8000:8000"]}

    @pytest.mark.parametrize("service", APP_SERVICES)
    def test_our_containers_have_no_privileges(self, compose: dict[str, Any], service: str) -> None:
        wanted = compose["services"][service]
        assert not wanted.get("privileged", False)
        assert wanted["cap_drop"] == ["ALL"]
        assert wanted["read_only"] is True
        assert "no-new-privileges:true" in wanted["security_opt"]

    def test_only_judge0_is_privileged(self, compose: dict[str, Any]) -> None:
        privileged = {name for name, service in compose["services"].items() if service.get("privileged")}
        assert privileged == set(JUDGE0_SERVICES)

    def test_judge0_wants_a_token_and_lets_no_program_out(self, compose: dict[str, Any]) -> None:
        lines = compose["configs"]["judge0"]["content"].splitlines()
        config = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        assert "JUDGE0_AUTH_TOKEN" in config["AUTHN_TOKEN"]
        assert config["ALLOW_ENABLE_NETWORK"] == config["ENABLE_NETWORK"] == "false"
        assert config["ENABLE_CALLBACKS"] == "false"
        for name in JUDGE0_SERVICES:
            mounted = {entry["target"] for entry in compose["services"][name]["configs"]}
            assert mounted == {"/judge0.conf", "/api/judge0.conf"}
            assert all(compose["networks"][network]["internal"] for network in compose["services"][name]["networks"])

    def test_judge0_shares_neither_database_nor_redis_with_us(self, compose: dict[str, Any]) -> None:
        services = compose["services"]
        ours, theirs = services["postgres"], services["judge0-postgres"]
        assert not set(ours["networks"]) & set(theirs["networks"])
        assert not set(ours["volumes"]) & set(theirs["volumes"])
        assert not set(services["redis"]["networks"]) & set(services["judge0-redis"]["networks"])
        for name in JUDGE0_SERVICES:
            assert "assay" not in services[name]["networks"]

    def test_attachments_outlive_the_read_only_container(self, compose: dict[str, Any]) -> None:
        assert compose["services"]["web"]["read_only"] is True
        mounted = dict(volume.split(":") for volume in compose["services"]["web"]["volumes"])
        assert mounted == {"attachments": "/var/lib/assay/media"}
        # Else the volume would belong to root.
        assert "--owner assay --group assay /var/lib/assay /var/lib/assay/media" in (ROOT / "Dockerfile").read_text()

    def test_networks_and_volumes_exist(self, compose: dict[str, Any]) -> None:
        for name, service in compose["services"].items():
            assert set(service["networks"]) <= compose["networks"].keys(), name
            assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= compose["volumes"].keys(), name


class TestDocuments:
    def test_the_license_is_the_one_declared(self) -> None:
        text = (ROOT / "LICENSE").read_text()
        assert "Apache License" in text[:200]
        assert "Version 2.0, January 2004" in text[:200]
        assert text.rstrip().endswith("limitations under the License.")
        assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()

    def test_the_first_screen_says_what_it_is_and_what_to_type(self) -> None:
        screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:35])
        for wanted in ("Assay grades programs", "script/demo", "script/test", "wrong_answer", "Next:"):
            assert wanted in screen

    @pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/decisions/README.md"])
    def test_links_between_documents_lead_somewhere(self, document: str) -> None:
        path = ROOT / document
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), target

    def test_links_within_the_readme_lead_to_headings(self) -> None:
        text = (ROOT / "README.md").read_text()
        headings = {
            re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        links = re.findall(r"\]\(#([^)]+)\)", text)
        assert links
        assert set(links) <= headings

    def test_every_decision_is_listed(self) -> None:
        folder = ROOT / "docs" / "decisions"
        pages = {page.name for page in folder.glob("*.md")} - {"README.md"}
        assert pages == set(re.findall(r"\]\(([^)]+\.md)\)", (folder / "README.md").read_text()))

    def test_the_commands_of_the_readme_exist(self) -> None:
        table = (ROOT / "README.md").read_text().split("## Commands")[1].split("\n## ")[0]
        for script in re.findall(r"`((?:script|\.ci)/\w+)", table):
            assert (ROOT / script).is_file(), script
        commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
        named = set(re.findall(r"`manage\.py (\w+)", table))
        assert named
        assert named <= commands
