"""What a picture is, is told by its bytes alone."""

import pytest

from reminders.core.picture_types import GIF, HEIC, JPEG, PNG, WEBP, picture_type


def heif(*brands: bytes) -> bytes:
    """The first box of a HEIF file: its major brand, a version, and what it is compatible with."""
    box = b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])
    return (len(box) + 4).to_bytes(4, "big") + box + b"meta and the rest"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG),
        (b"\xff\xd8\xff\xe1\x00\x10Exif", JPEG),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", PNG),
        (b"GIF87a\x01\x00", GIF),
        (b"GIF89a\x01\x00", GIF),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", WEBP),
        (heif(b"heic", b"mif1", b"heic"), HEIC),
        (heif(b"mif1", b"mif1", b"heic"), HEIC),
        (heif(b"heix"), HEIC),
    ],
)
def test_pictures_that_phones_take_are_known(content: bytes, kind: str) -> None:
    assert picture_type(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"<!doctype html><script>alert(1)</script>",
        b" \xff\xd8\xff\xe0",
        b"%PDF-1.7",
        b"BM\x00\x00",
        b"MZ\x90\x00",
        b"PK\x03\x04",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        heif(b"mp42", b"isom"),
        heif(b"avif", b"mif1", b"avif"),
        heif(b"mif1", b"mif1"),
        b"\xff\xff\xff\xffftypheic",
        b"\x00\x00\x00\x08ftyp",
    ],
)
def test_whatever_else_comes_is_none(content: bytes) -> None:
    assert picture_type(content) is None
