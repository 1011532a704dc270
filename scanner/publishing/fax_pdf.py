"""A PDF of black-and-white pages, written page by page: only the list of places stays in memory.

Each page is one image in CCITT Group 4 (ITU-T T.6), which every reader of PDF knows and which,
unlike JBIG2, never puts the picture of one letter in the place of another. The file's grammar is
that of ISO 32000-1, 7.5.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageChops

POINTS_PER_MM = 72 / 25.4
_CATALOG, _PAGES = 1, 2
_FIRST_FREE = 3
_OFFSETS, _ROWS_PER_STRIP, _LENGTHS = 273, 278, 279
"""Tags of TIFF 6.0."""


@dataclass(frozen=True, slots=True)
class FaxImage:
    """A black-and-white image, coded."""

    data: bytes
    """One strip of Group 4, black as black."""
    width: int
    """In pixels."""
    height: int


def code_fax(image: Image.Image) -> FaxImage:
    """Code an image in Group 4.

    Args:
        image: Of mode ``1``; white is 1.
    """
    stream = io.BytesIO()
    one_strip = {_ROWS_PER_STRIP: image.height}
    # The library codes 0 as white; a blank page in Group 4 is white, and the smallest.
    ImageChops.invert(image).save(stream, "TIFF", compression="group4", tiffinfo=one_strip)
    with Image.open(stream) as coded:
        tags = coded.tag_v2  # type: ignore[attr-defined]
        (offset,), (length,) = tags[_OFFSETS], tags[_LENGTHS]
    return FaxImage(stream.getvalue()[offset : offset + length], image.width, image.height)


class FaxPdf:
    """A PDF that is being written.

    Args:
        stream: Where it goes; at its beginning.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._places: dict[int, int] = {}
        self._pages: list[int] = []
        # The second line says that the file is no text, as the standard advises.
        stream.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def add_page(self, image: FaxImage, width_mm: float, height_mm: float) -> None:
        """Add a page that the image fills.

        Args:
            image: What is on it.
            width_mm: Of the paper.
            height_mm: Of the paper.
        """
        number = _FIRST_FREE + 3 * len(self._pages)
        width, height = (f"{mm * POINTS_PER_MM:.2f}" for mm in (width_mm, height_mm))
        self._put(
            number,
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {width} {height}]"
            f" /Contents {number + 1} 0 R"
            f" /Resources << /XObject << /Im {number + 2} 0 R >> >> >>",
        )
        drawn = f"q {width} 0 0 {height} 0 0 cm /Im Do Q".encode("ascii")
        self._put(number + 1, f"<< /Length {len(drawn)} >>", drawn)
        self._put(
            number + 2,
            f"<< /Type /XObject /Subtype /Image /Width {image.width} /Height {image.height}"
            " /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /CCITTFaxDecode"
            f" /DecodeParms << /K -1 /Columns {image.width} /Rows {image.height} >>"
            f" /Length {len(image.data)} >>",
            image.data,
        )
        self._pages.append(number)

    def finish(self) -> None:
        """Write what makes the pages one file."""
        kids = " ".join(f"{number} 0 R" for number in self._pages)
        self._put(_PAGES, f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>")
        self._put(_CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R >>")
        start, size = self._stream.tell(), len(self._places) + 1
        self._write(f"xref\n0 {size}\n0000000000 65535 f \n")
        for number in range(1, size):
            self._write(f"{self._places[number]:010d} 00000 n \n")
        self._write(f"trailer\n<< /Size {size} /Root {_CATALOG} 0 R >>\n")
        self._write(f"startxref\n{start}\n%%EOF\n")

    def _put(self, number: int, head: str, data: bytes | None = None) -> None:
        self._places[number] = self._stream.tell()
        self._write(f"{number} 0 obj\n{head}\n")
        if data is not None:
            self._stream.write(b"stream\n" + data + b"\nendstream\n")
        self._write("endobj\n")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("ascii"))


@contextmanager
def write_fax_pdf(stream: BinaryIO) -> Iterator[FaxPdf]:
    """A PDF into a stream, finished when all its pages are added."""
    pdf = FaxPdf(stream)
    yield pdf
    pdf.finish()
