"""What a picture is, told by its first bytes: what the sender or the carrier says of it is not believed.

Only kinds that phones take and that a browser draws without running anything: no SVG, no HTML, no PDF, no video.
"""

from typing import Final

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
GIF: Final = "image/gif"
WEBP: Final = "image/webp"
HEIC: Final = "image/heic"

KINDS: Final = (JPEG, PNG, GIF, WEBP, HEIC)
"""In the order in which they are named to people."""

_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
)
# Brands of ISO/IEC 23008-12 (HEIF) whose pictures are coded with HEVC; `mif1` and `msf1` only say that it is HEIF.
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_BRAND = 4
_BRANDS_AT = 16
# A box of brands is some dozens of bytes; a longer one is none.
_LONGEST_BRANDS = 256


def picture_type(content: bytes) -> str | None:
    """Return the media type of a picture, or None where it is none of the kinds that are kept."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    return HEIC if _is_heic(content) else None


def _is_heic(content: bytes) -> bool:
    """Look at the first box: its length, `ftyp`, the major brand, a version, and the brands it is compatible with."""
    if content[4:8] != b"ftyp":
        return False
    end = int.from_bytes(content[:4], "big")
    if not _BRANDS_AT <= end <= min(_LONGEST_BRANDS, len(content)):
        return False
    brands = {content[8:12]} | {content[at : at + _BRAND] for at in range(_BRANDS_AT, end, _BRAND)}
    return bool(brands & _HEIC_BRANDS)
