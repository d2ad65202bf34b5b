"""Files of problems: what may be attached, who gets it how, and when a content goes."""

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import AuditEvent
from core.contents import content_path
from core.errors import InvalidInput
from courses import services
from courses.attachment_names import NAME_CHARACTERS_MAX, attachment_name
from courses.errors import AttachmentExists, AttachmentsFull
from courses.models import Attachment, Problem
from courses.services import attachment as attachment_module
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    AttachmentFactory,
    ChoiceProblemFactory,
    ProblemFactory,
    UnlockRequirementFactory,
)
from tests.courses.refusals import ApiAs, faults, refusal, refused
from tests.parallel import at_once, meeting_point

V1 = "/api/v1"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture(autouse=True)
def media(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def contents(media: Path) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file() and path.name != ".lock")


def upload(name: str, data: bytes, content_type: str = "application/octet-stream") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, data, content_type=content_type)}


def post(api: APIClient, problem: Problem, *file: Any) -> Any:
    return api.post(f"{V1}/problems/{problem.pk}/attachments/", upload(*file), format="multipart")


class TestApi:
    @pytest.fixture
    def api(self, world: World, api_as: ApiAs) -> APIClient:
        return api_as(world.instructor)

    def test_attach_list_get_delete(self, world: World, api: APIClient, api_as: ApiAs) -> None:
        response = post(api, world.problem, "tree.gif", GIF, "image/gif")
        assert response.status_code == 201
        shown = response.json()
        assert {name: shown[name] for name in ("problem", "name", "content_type", "size_bytes")} == {
            "problem": world.problem.pk,
            "name": "tree.gif",
            "content_type": "image/gif",
            "size_bytes": len(GIF),
        }
        assert shown["url"] == f"{V1}/attachments/{shown['id']}/"
        student = api_as(world.student)
        listed = student.get(f"{V1}/problems/{world.problem.pk}/attachments/").json()["results"]
        assert listed == [shown]
        got = student.get(shown["url"])
        assert (got.status_code, got.getvalue()) == (200, GIF)
        assert refusal(student.delete(shown["url"])) == (403, "permission_denied")
        assert api.delete(shown["url"]).status_code == 204
        assert refusal(student.get(shown["url"])) == (404, "not_found")

    @pytest.mark.parametrize(
        ("name", "data", "content_type", "disposition"),
        [
            ("a.gif", GIF, "image/gif", 'inline; filename="a.gif"'),
            ("a.txt", b"one", "text/plain; charset=utf-8", 'attachment; filename="a.txt"'),
            ("b.json", b"{}", "text/plain; charset=utf-8", 'attachment; filename="b.json"'),
            ("é.txt", b"one", "text/plain; charset=utf-8", "attachment; filename*=utf-8''%C3%A9.txt"),
        ],
    )
    def test_how_a_content_is_served(
        self, world: World, api: APIClient, name: str, data: bytes, content_type: str, disposition: str
    ) -> None:
        url = post(api, world.problem, name, data).json()["url"]
        response = api.get(url)
        assert response["Content-Type"] == content_type
        assert response["Content-Disposition"] == disposition
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert response["Cache-Control"] == "no-store"
        assert response["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
        assert response.getvalue() == data

    def test_who_has_it_already_is_told_so(self, world: World, api: APIClient) -> None:
        url = post(api, world.problem, "a.gif", GIF).json()["url"]
        etag = f'"{hashlib.sha256(GIF).hexdigest()}"'
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            response = api.get(url, headers={"If-None-Match": known})
            assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
        response = api.get(url, headers={"If-None-Match": '"x"'})
        assert response.getvalue() == GIF

    @pytest.mark.parametrize(
        ("file", "code"),
        [
            (("a.svg", SVG, "image/svg+xml"), "file_type_refused"),
            (("a.html", HTML, "text/html"), "file_type_refused"),
            (("a.txt", HTML), "file_type_refused"),
            (("a.gif", SVG, "image/gif"), "file_type_refused"),
            (("a.gif", GIF + HTML), "file_type_refused"),
            (("a.gif", GIF, "text/html"), "file_type_refused"),
            (("a.exe", b"MZ"), "file_type_refused"),
            (("gif", GIF), "file_type_refused"),
            (("\x01", GIF), "invalid"),
        ],
    )
    def test_refused_files(self, world: World, api: APIClient, media: Path, file: Any, code: str) -> None:
        response = post(api, world.problem, *file)
        assert response.status_code == 422
        if code != "invalid":
            assert faults(response) == [("#/file", code)]
        assert contents(media) == []
        assert not Attachment.objects.exists()

    def test_the_body_is_a_form_with_one_file(self, world: World, api: APIClient) -> None:
        address = f"{V1}/problems/{world.problem.pk}/attachments/"
        assert faults(api.post(address, {}, format="multipart")) == [("#/file", "required")]
        assert faults(api.post(address, {"file": "text"}, format="multipart")) == [("#/file", "invalid")]
        more = {**upload("a.gif", GIF), "name": "b.gif"}
        assert faults(api.post(address, more, format="multipart")) == [("#/name", "unknown_field")]
        assert refusal(api.post(address, {"file": "x"}))[0] == 415
        twice = {"file": [SimpleUploadedFile("a.gif", GIF), SimpleUploadedFile("b.gif", GIF)]}
        assert faults(api.post(address, twice, format="multipart")) == [("#/file", "repeated_field")]
        broken = api.post(address, b"--x", content_type="multipart/form-data; boundary=")
        assert refusal(broken)[0] == 400

    def test_a_file_over_the_limit(self, world: World, api: APIClient, media: Path) -> None:
        limit = attachment_module.FILE_BYTES_MAX
        assert post(api, world.problem, "a.txt", b"x" * limit).status_code == 201
        assert faults(post(api, world.problem, "b.txt", b"x" * (limit + 1))) == [("#/file", "file_too_large")]
        assert refusal(post(api, world.problem, "c.txt", b"x" * (13 * 1024 * 1024))) == (413, "body_too_large")
        assert len(contents(media)) == 1

    def test_other_bodies_have_the_small_limit(self, world: World, api: APIClient) -> None:
        body = b'{"x": "' + b"x" * (3 * 1024 * 1024) + b'"}'
        response = api.post(f"{V1}/problems/{world.problem.pk}/attachments/", body, content_type="application/json")
        assert refusal(response) == (413, "body_too_large")

    def test_locked_and_unseen_problems_keep_their_files(self, world: World, api_as: ApiAs) -> None:
        other = ChoiceProblemFactory(problem__course=world.course).problem
        locked = AlgorithmProblemFactory(problem__course=world.course).problem
        UnlockRequirementFactory(problem=locked, required_problem=other)
        student = api_as(world.student)
        for problem, wanted in ((locked, (403, "problem_locked")), (world.draft, (404, "not_found"))):
            attachment = AttachmentFactory(problem=problem)
            assert refusal(student.get(f"{V1}/attachments/{attachment.pk}/")) == wanted
            assert refusal(student.get(f"{V1}/problems/{problem.pk}/attachments/")) == wanted
            response = api_as(world.assistant).get(f"{V1}/attachments/{attachment.pk}/")
            assert response.getvalue() == b"one\n"

    def test_a_content_that_is_lost_is_our_fault(self, world: World, api: APIClient) -> None:
        attachment = AttachmentFactory(problem=world.problem)
        content_path(attachment.sha256).unlink()
        assert refusal(api.get(f"{V1}/attachments/{attachment.pk}/")) == (503, "service_unavailable")


class TestNames:
    @pytest.mark.parametrize(
        ("given_name", "wanted"),
        [
            ("a.png", "a.png"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("C:\\temp\\a.png", "a.png"),
            ("...hidden.txt", "hidden.txt"),
            ("a\x00b\r\n.txt", "ab.txt"),
            ("exe\u202egnp.txt", "exegnp.txt"),
            ("e\u0301.txt", "é.txt"),
            (" a b .txt ", "a b .txt"),
            ("x" * 200 + ".tar.png", "x" * 96 + ".png"),
            ('a<b>:"|?*.txt', "ab.txt"),
        ],
    )
    def test_are_cleaned(self, given_name: str, wanted: str) -> None:
        assert attachment_name(given_name) == wanted

    @pytest.mark.parametrize("name", ["", ".", "..", "/", "a/", "\x00", " . . ", "\u202e"])
    def test_nothing_left(self, name: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            attachment_name(name)
        assert caught.value.errors[0].code == "file_name_refused"

    @given(st.text(max_size=300))
    def test_whatever_comes_is_a_plain_name(self, text: str) -> None:
        try:
            name = attachment_name(text)
        except InvalidInput:
            return
        assert 0 < len(name) <= NAME_CHARACTERS_MAX
        assert not {*name} & {*'/\\\x00\r\n:*?"<>|'}
        assert not name.startswith(".")
        assert attachment_name(name) == name


class TestLimits:
    def attach(self, problem: Problem, name: str, data: bytes = b"one") -> Attachment:
        return services.attachment_create(actor=UserFactory(), problem_id=problem.pk, name=name, data=data)

    def test_a_name_once_per_problem(self, world: World, media: Path) -> None:
        self.attach(world.problem, "a.txt")
        with pytest.raises(AttachmentExists):
            self.attach(world.problem, "a.txt", b"two")
        self.attach(world.draft, "a.txt")
        # The same content twice is one file; the refused one left nothing.
        assert contents(media) == [hashlib.sha256(b"one").hexdigest()]

    def test_so_many_per_problem(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attachment_module, "PER_PROBLEM_MAX", 2)
        self.attach(world.problem, "1.txt"), self.attach(world.problem, "2.txt")
        with pytest.raises(AttachmentsFull, match="at most 2"):
            self.attach(world.problem, "3.txt")
        self.attach(world.draft, "3.txt")

    def test_so_many_bytes_per_course(self, world: World, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attachment_module, "COURSE_BYTES_MAX", 10)
        self.attach(world.problem, "1.txt", b"x" * 6)
        with pytest.raises(AttachmentsFull):
            self.attach(world.draft, "2.txt", b"y" * 5)
        assert len(contents(media)) == 1
        self.attach(world.draft, "2.txt", b"y" * 4)
        self.attach(world.foreign_problem, "1.txt", b"z" * 10)

    def test_errors_leave_nothing(self, world: World, media: Path) -> None:
        with refused(("#/file", "file_type_refused")):
            self.attach(world.problem, "a.svg", SVG)
        assert contents(media) == []
        assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestContentsGo:
    def test_with_the_last_row_and_not_before(self, media: Path) -> None:
        first = AttachmentFactory()
        second = AttachmentFactory(problem__course=first.problem.course)
        assert first.sha256 == second.sha256
        services.attachment_delete(actor=UserFactory(), attachment_id=first.pk)
        assert contents(media) == [second.sha256]
        services.attachment_delete(actor=UserFactory(), attachment_id=second.pk)
        assert contents(media) == []

    def test_with_their_problem(self, media: Path) -> None:
        attachment = AttachmentFactory()
        services.problem_delete(actor=UserFactory(), problem_id=attachment.problem_id)
        assert contents(media) == []

    def test_not_where_the_deletion_is_rolled_back(self, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        attachment = AttachmentFactory()

        def fail() -> None:
            raise RuntimeError("afterwards")

        monkeypatch.setattr(attachment_module, "row_lock", _then(attachment_module.row_lock, fail))
        with pytest.raises(RuntimeError, match="afterwards"):
            services.attachment_delete(actor=UserFactory(), attachment_id=attachment.pk)
        assert contents(media) == [attachment.sha256]
        assert Attachment.objects.filter(pk=attachment.pk).exists()

    def test_attached_and_deleted_at_once_the_row_has_its_content(self, media: Path) -> None:
        self.attach_while_deleting()
        row = Attachment.objects.get()
        assert contents(media) == [row.sha256]

    def test_control_without_the_lock_the_content_is_lost(self, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attachment_module, "contents_locked", nullcontext)
        self.attach_while_deleting()
        assert Attachment.objects.count() == 1
        assert contents(media) == []

    def attach_while_deleting(self) -> None:
        """One looks for rows, finds none, and is about to remove the file when another attaches the same content."""
        actor, former = UserFactory(), AttachmentFactory()
        problem = ProblemFactory(course=former.problem.course)
        meet = meeting_point(2)
        about_to_remove = attachment_module.content_remove

        def remove(sha256: str) -> None:
            meet()
            meet()
            about_to_remove(sha256)

        def delete() -> None:
            services.attachment_delete(actor=actor, attachment_id=former.pk)

        def attach() -> None:
            meet()
            services.attachment_create(actor=actor, problem_id=problem.pk, name="new.txt", data=b"one\n")
            meet()

        patch = pytest.MonkeyPatch()
        patch.setattr(attachment_module, "content_remove", remove)
        try:
            at_once([delete, attach])
        finally:
            patch.undo()


def _then(act: Callable[..., Any], fail: Callable[[], None]) -> Callable[..., Any]:
    """`act`, and what it returns fails when it has been deleted."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        row = act(*args, **kwargs)
        real = row.delete

        def delete() -> None:
            real()
            fail()

        row.delete = delete
        return row

    return wrapped
