"""Formats of picture files: their endings, and how their first bytes tell them apart."""

from __future__ import annotations

from lenet_tf.io.images import PNG_SIGNATURE
from lenet_tf.io.tiff import SIGNATURES as TIFF_SIGNATURES

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
# Rarer endings of the same formats.
MORE_SUFFIXES = (".apng", ".jpe", ".jif", ".jfif", ".pjpeg", ".pjp", ".dib")
# Pictures of formats that are refused by name.
OTHER_SUFFIXES = (
    *(".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k", ".svg", ".svgz", ".eps"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".ico", ".cur", ".icns", ".psd", ".pcx", ".xcf"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
)
ALL_SUFFIXES = (*SUFFIXES, *MORE_SUFFIXES, *OTHER_SUFFIXES)
_NAMES = "PNG, JPEG, WebP, BMP, GIF or TIFF"
_SIGNATURES = {
    PNG_SIGNATURE: "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    **dict.fromkeys(TIFF_SIGNATURES, "TIFF"),
}
_OTHER_SIGNATURES = {
    **{b"P%d\n" % number: name for number, name in enumerate(2 * ("PBM", "PGM", "PPM"), 1)},
    b"%PDF": "PDF",
    b"%!PS": "EPS",
    b"8BPS": "PSD",
    b"gimp xcf": "XCF",
    b"\0\0\1\0": "ICO",
    b"II+\0": "BigTIFF",
    b"MM\0+": "BigTIFF",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    **dict.fromkeys((b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\0"), "a camera's raw file"),
}
# Brands of the files that phones and browsers write.
_ISO_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1"), "HEIC"),
    b"crx ": "a camera's raw file",
}
_START_BYTES = 1_024


def detect_format(content: bytes) -> str:
    """Return Pillow's name of a file's format.

    Raises:
        ValueError: If it is none that is read; the message names it where it is known.
    """
    for signature, name in _SIGNATURES.items():
        if content.startswith(signature):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    other = _detect_other(content[:_START_BYTES])
    if other is None:
        raise ValueError(f"it is not a {_NAMES} file")
    raise ValueError(f"it is not a {_NAMES} file but {other}; save it as JPEG or PNG")


def _detect_other(start: bytes) -> str | None:
    if start[4:8] == b"ftyp":
        # The main brand can be that of a family.
        if start[8:12] == b"mif1" and b"avif" in start[12:64]:
            return "AVIF"
        return _ISO_BRANDS.get(start[8:12])
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in start:
        return "SVG"
    names = (name for sign, name in _OTHER_SIGNATURES.items() if start.startswith(sign))
    return next(names, None)
