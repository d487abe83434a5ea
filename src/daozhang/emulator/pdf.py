"""PDF as small as it can be: pages of lines, in a Chinese font that every reader brings along.

Nothing among the dependencies writes text into a PDF (segno writes codes only), and a receipt of an
emulator needs no more than this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LINES_ON_PAGE: Final = 48
_FONT: Final = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
    b" /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light"
    # Latin letters are half as wide as Chinese ones.
    b" /DW 1000 /W [1 95 500]"
    b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >>"
    b" /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6"
    b" /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880"
    b" /StemV 93 >> >>] >>"
)


def pdf(lines: Sequence[str]) -> bytes:
    """A document of ``lines``, the first of them its title."""
    pages = [lines[n : n + LINES_ON_PAGE] for n in range(0, max(len(lines), 1), LINES_ON_PAGE)]
    # Objects 1 to 3 are catalogue, page tree and font; each page has two more.
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        _FONT,
    ]
    for number, page in enumerate(pages):
        content = _content(page)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
            b" /Resources << /Font << /F 3 0 R >> >> /Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _document(objects)


def _content(lines: Sequence[str]) -> bytes:
    shown = [b"<%s> Tj T*" % _encoded(line) for line in lines]
    return b"\n".join([b"BT /F 10 Tf 48 790 Td 15 TL", *shown, b"ET"])


def _encoded(line: str) -> bytes:
    """UCS-2 in hexadecimal; what is beyond it becomes a question mark."""
    text = "".join(character if ord(character) < 0x10000 else "?" for character in line)
    return text.encode("utf-16-be").hex().encode("ascii")


def _document(objects: Sequence[bytes]) -> bytes:
    body = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    body += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(body)
