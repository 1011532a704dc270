"""Every broken, foreign, locked or monstrous file is refused with a reason and a remedy."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image

from scanner.errors import (
    EncryptedFileError,
    ImageTooLargeError,
    UnreadableFileError,
)
from scanner.reading.pages import (
    close_files,
    count_pages,
    load_page,
)
from tests.scans import (
    close_to,
    drawn_page,
    flate_image,
    jpeg_bytes,
    jpeg_image,
    noisy_page,
    write_pdf,
)


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    """Windows deletes no file that is open."""
    yield
    close_files()


def refused(path: Path, number: int = 1) -> UnreadableFileError:
    with pytest.raises(UnreadableFileError) as caught:
        count_pages(path)
        load_page(path, number)
    assert caught.value.path == path
    assert caught.value.remedy
    return caught.value


def test_an_empty_file_a_text_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("Kính gửi ban kiểm phiếu", encoding="utf-8")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    assert "empty" in refused(tmp_path / "empty.pdf").message
    assert "whatever its name" in refused(tmp_path / "text.jpg").message
    assert "JPEG" in refused(tmp_path / "photo.heic").remedy
    assert "cannot be opened" in refused(tmp_path / "missing.png").message
    refused(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("minimum", [0, 150])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("BMP", {}), ("GIF", {})],
)
def test_a_picture_that_was_cut_off_is_refused(
    tmp_path: Path, kind: str, options: dict[str, Any], minimum: int, share: float
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(noisy_page()).save(buffer, kind, **options)
    path = tmp_path / "a"
    path.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * share)])
    with pytest.raises(UnreadableFileError) as caught:
        load_page(path, 1, min_long_side_px=minimum)
    assert "cut off" in caught.value.message


def test_a_jpeg_cut_after_its_preview_picture_is_refused(tmp_path: Path) -> None:
    preview = jpeg_bytes(drawn_page(80, 120))
    whole = jpeg_bytes(noisy_page())
    segment = b"\xff\xe5" + struct.pack(">H", len(preview) + 2) + preview
    data = whole[:2] + segment + whole[2:]
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert load_page(path, 1).full_size == (400, 600)
    path.write_bytes(data[: len(data) // 2])
    refused(path)


def test_what_follows_the_end_of_a_jpeg_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_bytes(drawn_page()) + bytes(500))
    assert close_to(load_page(path, 1), drawn_page())


def test_a_damaged_jpeg_leaves_nothing_on_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(jpeg_bytes(noisy_page()))
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    load_page(path, 1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["group4", "tiff_lzw", "jpeg", "raw"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_tiff_that_was_cut_off_is_refused(
    tmp_path: Path, compression: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    mode = "1" if compression == "group4" else "L"
    Image.fromarray(noisy_page()).convert(mode).save(path, compression=compression)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path)
    assert capfd.readouterr().err == ""


def test_a_page_too_small_to_hold_print_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "icon.png"
    Image.new("L", (199, 100)).save(path)
    assert "199 × 100" in refused(path).message


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def bomb_of(kind: str, folder: Path) -> Path:
    path = folder / f"bomb.{kind}"
    if kind == "png":
        path.write_bytes(png_header(40_000, 40_000))
    elif kind == "tif":
        tags = [(256, 40_000), (257, 40_000), (258, 1), (259, 1), (262, 1), (273, 8), (279, 1)]
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4))
    elif kind == "jpg":
        data = bytearray(jpeg_bytes(drawn_page()))
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", 40_000, 40_000)
        path.write_bytes(data)
    else:
        image = flate_image(drawn_page(), Width=40_000, Height=40_000)
        write_pdf(path, [image], content=None if kind == "pdf" else b"/Im0 Do 0 0 9 9 re f")
    return path


@pytest.mark.parametrize("kind", ["png", "tif", "jpg", "pdf", "drawn.pdf"])
def test_a_bomb_is_refused_before_its_pixels_are_made(tmp_path: Path, kind: str) -> None:
    path = bomb_of(kind, tmp_path)
    tracemalloc.start()
    assert count_pages(path) == 1
    with pytest.raises(ImageTooLargeError) as caught:
        load_page(path, 1, min_long_side_px=1000)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert "40000" in caught.value.message


def test_a_pdf_with_a_password_is_refused_and_one_without_need_of_it_is_read(
    tmp_path: Path,
) -> None:
    data = jpeg_bytes(drawn_page())
    image = [jpeg_image(data)]
    locked = write_pdf(
        tmp_path / "a.pdf", image, encryption=pikepdf.Encryption(owner="o", user="u")
    )
    with pytest.raises(EncryptedFileError) as caught:
        count_pages(locked)
    assert "password" in caught.value.remedy
    protected = write_pdf(
        tmp_path / "b.pdf", image, encryption=pikepdf.Encryption(owner="o", user="")
    )
    assert load_page(protected, 1).image_hash == hashlib.sha256(data).hexdigest()


def test_every_page_of_a_cut_off_pdf_is_whole_or_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sheets = [np.roll(noisy_page(), step, axis=0) for step in range(4)]
    hashes = {hashlib.sha256(jpeg_bytes(sheet)).hexdigest() for sheet in sheets}
    whole = write_pdf(tmp_path / "a.pdf", [jpeg_image(jpeg_bytes(sheet)) for sheet in sheets])
    data = whole.read_bytes()
    outcomes = set()
    for share in range(2, 100, 7):
        path = tmp_path / f"{share}.pdf"
        path.write_bytes(data[: len(data) * share // 100])
        outcomes |= {read_or_refuse(path, hashes)}
    assert "refused" in outcomes
    assert capfd.readouterr().err == ""


def read_or_refuse(path: Path, hashes: set[str]) -> str:
    """Fails where a page comes out that is neither one of the true ones nor refused."""
    try:
        for number in range(1, count_pages(path) + 1):
            assert load_page(path, number).image_hash in hashes
    except UnreadableFileError:
        return "refused"
    return "whole"


def test_a_page_of_a_pdf_whose_jpeg_was_cut_off_is_refused_alone(tmp_path: Path) -> None:
    data = jpeg_bytes(noisy_page())
    path = write_pdf(tmp_path / "a.pdf", [jpeg_image(data), jpeg_image(data[: len(data) // 2])])
    assert load_page(path, 1).full_size == (400, 600)
    refused(path, 2)


def test_a_number_that_no_page_has_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(drawn_page()).save(path)
    for number in (0, 2, -1):
        with pytest.raises(ValueError, match="no page"):
            load_page(path, number)


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.new("L", (400, 600), 255).save(path)
    assert load_page(path, 1).gray[0, 0] == 255
    Image.new("L", (401, 600), 7).save(path)
    os.utime(path, ns=(1, 1))
    assert load_page(path, 1).gray[0, 0] == 7


def test_a_long_pdf_does_not_pile_up_in_memory(tmp_path: Path) -> None:
    image = flate_image(noisy_page())
    path = write_pdf(tmp_path / "a.pdf", [image] * 60)
    load_page(path, 1)
    gc.collect()
    tracemalloc.start()
    for number in range(1, 61):
        load_page(path, number)
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] < 2_000_000
    tracemalloc.stop()
