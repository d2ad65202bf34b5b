"""An attachment is what its name and all of its content say, or it is refused."""

import struct
import zlib
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import filetypes
from core.errors import InvalidInput
from core.filetypes import FileType, sniff

# A slow machine is no failure, and what one run found does not change the next.
UNTIMED = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"IHDR", struct.pack(">2L5B", 1, 1, 8, 0, 0, 0, 0))
    + png_chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + png_chunk(b"IEND", b"")
)
GIF = (
    b"GIF89a" + struct.pack("<2H3B", 1, 1, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    b"\x21\xf9\x04\x01\x00\x00\x00\x00"
    b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00\x3b"
)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xda\x00\x08\x01\x01\x00\x00?\x00\xd2\xff\xd9"
)
WEBP = b"RIFF" + struct.pack("<L", 16) + b"WEBPVP8L" + struct.pack("<L", 4) + b"\x2f\x00\x00\x00"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n"


def zipped() -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    return buffer.getvalue()


ZIP = zipped()
PICTURES = {"png": PNG, "jpg": JPEG, "jpeg": JPEG, "gif": GIF, "webp": WEBP}
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
REFUSED = {
    "svg": (SVG, "a.svg"),
    "svg as png": (SVG, "a.png"),
    "svg as text": (SVG, "a.txt"),
    "svg without a declaration as text": (b"  \n<svg onload=alert(1)>", "a.txt"),
    "html": (HTML, "a.html"),
    "html as text": (HTML, "a.txt"),
    "html after a byte order mark": (b"\xef\xbb\xbf \n" + HTML, "a.md"),
    "html as csv": (b"<script>alert(1)</script>,1", "a.csv"),
    "html as gif": (HTML, "a.gif"),
    "gif header before html": (b"GIF89a" + HTML, "a.gif"),
    "gif header that is a script": (b"GIF89a/*\x00\x00\x00*/=1;alert(1);//;", "a.gif"),
    "html in a gif's comment": (GIF[:19] + b"\x21\xfe" + bytes([len(HTML)]) + HTML + b"\x00" + GIF[19:], "a.gif"),
    "html after a gif": (GIF + HTML, "a.gif"),
    "html after a png": (PNG + HTML, "a.png"),
    "html in a png's text": (PNG[:33] + png_chunk(b"tEXt", b"Title\x00" + HTML) + PNG[33:], "a.png"),
    "html in a jpeg's comment": (JPEG[:2] + b"\xff\xfe" + struct.pack(">H", len(HTML) + 2) + HTML + JPEG[2:], "a.jpg"),
    "html after a jpeg": (JPEG + HTML, "a.jpg"),
    "html in a webp": (b"RIFF" + struct.pack("<L", 12 + len(HTML)) + b"WEBPVP8X\x00\x00\x00\x00" + HTML, "a.webp"),
    "html after a webp": (WEBP + HTML, "a.webp"),
    "html in a pdf's head": (b"%PDF-1.7\n" + HTML + PDF, "a.pdf"),
    "pdf that begins late": (b"GIF89a\n" + PDF, "a.pdf"),
    "pdf without an end": (PDF[:-6], "a.pdf"),
    "png and zip": (PNG + ZIP, "a.png"),
    "gif and zip": (GIF + ZIP, "a.zip"),
    "zip with a tail": (ZIP + HTML, "a.zip"),
    "php in a jpeg": (JPEG[:20] + b"<?php phpinfo();" + JPEG[20:], "a.jpg"),
    "windows program": (b"MZ\x90\x00", "a.exe"),
    "windows program as text": (b"MZ\x90\x00\x03", "a.txt"),
    "elf as out": (b"\x7fELF\x02\x01\x01\x00", "a.out"),
    "shell script": (b"#!/bin/sh\n", "a.sh"),
    "png as jpeg": (PNG, "a.jpg"),
    "jpeg as png": (JPEG, "a.png"),
    "png as text": (PNG, "a.txt"),
    "text as png": (b"hello", "a.png"),
    "png cut off": (PNG[:-12], "a.png"),
    "png with an endless chunk": (PNG[:33] + b"\xff\xff\xff\xffIDAT", "a.png"),
    "gif cut off": (GIF[:-1], "a.gif"),
    "gif header alone": (b"GIF89a", "a.gif"),
    "jpeg marker alone": (b"\xff\xd8\xff\xd9", "a.jpg"),
    "latin-1 text": ("né".encode("latin-1"), "a.txt"),
    "utf-16 text": ("hi".encode("utf-16"), "a.txt"),
    "NUL in text": (b"a\x00b", "a.txt"),
    "half a surrogate pair": (b"\xed\xa0\x80", "a.txt"),
    "empty picture": (b"", "a.png"),
    "no extension": (b"hello", "hello"),
    "hidden file": (b"hello", ".txt"),
    "extension behind": (b"hello", "a.txt.exe"),
    "extension and a dot": (b"hello", "a.txt."),
    "extension and a space": (b"hello", "a.txt "),
}


def outcome(data: bytes, name: str) -> str:
    """The content type, or the code of the refusal."""
    try:
        return sniff(data, name).content_type
    except InvalidInput as refusal:
        return refusal.errors[0].code


class TestAccepted:
    @pytest.mark.parametrize("extension", PICTURES)
    def test_pictures_are_shown_inline(self, extension: str) -> None:
        found = sniff(PICTURES[extension], f"My picture.{extension.upper()}", claimed_type=TYPES[extension])
        assert found == FileType(extension=extension, content_type=TYPES[extension], is_inline=True)

    def test_pdf_is_shown_and_zip_is_not(self) -> None:
        assert sniff(PDF, "a.pdf") == FileType(extension="pdf", content_type="application/pdf", is_inline=True)
        assert sniff(ZIP, "a.zip") == FileType(extension="zip", content_type="application/zip", is_inline=False)

    @pytest.mark.parametrize("extension", ["txt", "md", "csv", "json", "in", "out", "ans"])
    @pytest.mark.parametrize("data", [b"", b"1 2\n", "né 😀".encode(), b"a < b, <b>bold</b>", b"<3\n"])
    def test_text_is_plain_text_for_download_whatever_its_name(self, extension: str, data: bytes) -> None:
        found = sniff(data, f"a.{extension}")
        assert found == FileType(extension=extension, content_type="text/plain; charset=utf-8", is_inline=False)

    @pytest.mark.parametrize(
        ("name", "claim"),
        [
            ("a.txt", "text/plain; charset=utf-8"),
            ("a.in", "application/octet-stream"),
            ("a.csv", "application/vnd.ms-excel"),
            ("a.md", "Text/Markdown"),
            ("a.json", "application/json"),
        ],
    )
    def test_claims_that_browsers_make_agree(self, name: str, claim: str) -> None:
        assert sniff(b"1", name, claimed_type=claim)


class TestRefused:
    @pytest.mark.parametrize(("data", "name"), REFUSED.values(), ids=REFUSED.keys())
    def test_it_is_not_what_it_says(self, data: bytes, name: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            sniff(data, name)
        assert refusal.value.errors[0].code == "file_type_refused"

    @pytest.mark.parametrize("claim", ["text/html", "image/svg+xml", "image/jpeg", "text/plain", "x" * 1000])
    def test_a_claim_of_something_else(self, claim: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            sniff(PNG, "a.png", claimed_type=claim)
        assert refusal.value.errors[0].code == "file_type_refused"
        assert len(refusal.value.detail) < 200

    @pytest.mark.parametrize(
        "name", ["", "../a.txt", "a/b.txt", "a\\b.txt", "C:a.txt", "a\x00.txt", "a\n.txt", "a\u202etxt.txt", "x" * 256]
    )
    def test_names_that_mislead(self, name: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            sniff(b"hello", name)
        assert refusal.value.errors[0].code == "file_name_refused"

    @pytest.mark.parametrize("name", ["html in a gif's comment", "html in a png's text", "html in a webp"])
    def test_it_is_the_search_for_markup_that_finds_it(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Control: these are well-formed pictures."""
        monkeypatch.setattr(filetypes, "_looks_like_markup", lambda data: False)
        assert sniff(*REFUSED[name])

    @UNTIMED
    @given(data=st.binary(max_size=200), name=st.sampled_from([f"a.{extension}" for extension in filetypes._KINDS]))
    def test_any_bytes_are_taken_or_refused(self, data: bytes, name: str) -> None:
        prefixes = {"gif": GIF[:19], "png": PNG[:33], "jpg": JPEG[:20], "webp": WEBP[:12], "pdf": PDF[:9]}
        for each in (data, prefixes.get(name[2:], b"") + data):
            assert outcome(each, name) in {"file_type_refused", *TYPES.values(), filetypes.TEXT}
