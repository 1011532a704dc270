"""Scans and blank sheets drawn for the tests of files and pages."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
from numpy.typing import NDArray
from PIL import Image

from scanner.reading.pages import (
    PageImage,
)

Gray = NDArray[np.uint8]
SIZE_PT = (100.0, 150.0)


def drawn_page(width: int = 400, height: int = 600) -> Gray:
    """White paper whose four corners differ, in blocks that survive JPEG and reduction."""
    page = np.full((height, width), 255, np.uint8)
    page[: height // 4, : width // 4] = 0
    page[: height // 4, -width // 4 :] = 80
    page[-height // 4 :, : width // 4] = 160
    page[height // 2 : height // 2 + 16, 32 : width // 2] = 0
    return page


def bilevel_page() -> Gray:
    return np.where(drawn_page() < 128, 0, 255).astype(np.uint8)


def jpeg_bytes(gray: Gray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


def close_to(page: PageImage, expected: Gray, tolerance: float = 12.0) -> bool:
    """True where all but the JPEG rings at the edges of blocks agrees."""
    assert page.gray.shape == expected.shape
    difference = np.abs(page.gray.astype(int) - expected.astype(int))
    return bool(np.mean(difference > tolerance) < 0.02)


def write_pdf(
    path: Path,
    images: list[dict[str, object]],
    *,
    content: bytes | None = None,
    rotate: int = 0,
    matrix: str = "100 0 0 150 0 0",
    box: tuple[float, float, float, float] = (0, 0, *SIZE_PT),
    **save: object,
) -> Path:
    """A PDF with one page an image; an image is {data, and entries of its dictionary}."""
    pdf = pikepdf.new()
    for image in images:
        entries = {key: value for key, value in image.items() if key != "data"}
        stream = pikepdf.Stream(pdf, image["data"], Type=pikepdf.Name.XObject, **entries)  # type: ignore[arg-type]
        stream.Subtype = pikepdf.Name.Image
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page,
            MediaBox=list(box),
            Rotate=rotate,
            Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=stream)),
            Contents=pikepdf.Stream(pdf, content or f"q {matrix} cm /Im0 Do Q".encode()),
        )
        pdf.pages.append(pikepdf.Page(page))
    pdf.save(path, **save)  # type: ignore[arg-type]
    return path


def jpeg_image(data: bytes, size: tuple[int, int] = (400, 600)) -> dict[str, object]:
    return {
        "data": data,
        "Width": size[0],
        "Height": size[1],
        "BitsPerComponent": 8,
        "ColorSpace": pikepdf.Name.DeviceGray,
        "Filter": pikepdf.Name.DCTDecode,
    }


def flate_image(gray: Gray, **entries: object) -> dict[str, object]:
    return {
        "data": zlib.compress(gray.tobytes()),
        "Width": gray.shape[1],
        "Height": gray.shape[0],
        "BitsPerComponent": 8,
        "ColorSpace": pikepdf.Name.DeviceGray,
        "Filter": pikepdf.Name.FlateDecode,
        **entries,
    }


def bilevel_image(gray: Gray, **entries: object) -> dict[str, object]:
    packed = np.packbits(gray > 127, axis=1).tobytes()
    return flate_image(gray, BitsPerComponent=1) | {"data": zlib.compress(packed)} | entries


def noisy_page() -> Gray:
    return np.random.default_rng(1).integers(0, 255, (600, 400)).astype(np.uint8)


def as_stored(upright: Gray, orientation: int) -> Gray:
    """What a camera that writes this orientation has stored (EXIF 2.3, tag 274)."""
    stored = {
        1: upright,
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: upright.T,
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, 3),
    }[orientation]
    return np.ascontiguousarray(stored)
