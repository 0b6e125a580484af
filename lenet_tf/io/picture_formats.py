"""Formats of picture files: their endings, and how their first bytes tell them apart."""

from __future__ import annotations

from lenet_tf.io.images import PNG_SIGNATURE

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# Rarer endings of the same formats.
MORE_SUFFIXES = (".apng", ".jpe", ".jif", ".jfif", ".pjpeg", ".pjp", ".dib")
# Pictures of formats that are refused by name.
OTHER_SUFFIXES = (
    *(".heic", ".heif", ".hif", ".avif", ".gif", ".tif", ".tiff", ".jxl", ".jp2", ".j2k", ".svg"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".ico", ".cur", ".icns", ".psd", ".pcx", ".xcf"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
)
ALL_SUFFIXES = (*SUFFIXES, *MORE_SUFFIXES, *OTHER_SUFFIXES)
_OTHER_SIGNATURES = {
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"8BPS": "PSD",
    b"\0\0\1\0": "ICO",
    **{b"P%d\n" % number: name for number, name in enumerate(2 * ("PBM", "PGM", "PPM"), 1)},
}
_ISO_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}


def detect_format(content: bytes) -> str:
    """Return Pillow's name of a file's format.

    Raises:
        ValueError: If it is none that is read; the message names it where it is known.
    """
    if content.startswith(PNG_SIGNATURE):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith(b"BM"):
        return "BMP"
    name = _OTHER_SIGNATURES.get(content[:4]) or _OTHER_SIGNATURES.get(content[:3])
    if content[4:8] == b"ftyp":
        name = _ISO_BRANDS.get(content[8:12])
    if name is not None:
        raise ValueError(f"it is not a PNG, JPEG, WebP or BMP file but {name}; save it as PNG")
    raise ValueError("it is not a PNG, JPEG, WebP or BMP file")
