"""Files become page images: every kind, every way up, and every broken one with its reason."""

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
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from scanner.errors import (
    BadArgumentsError,
    EncryptedFileError,
    ImageTooLargeError,
    UnreadableFileError,
)
from scanner.reading import pages
from scanner.reading.pages import PageImage, count_pages, expand_paths, load_blanks, load_page
from scanner.reading.pages import natural_key as sort_key

Gray = NDArray[np.uint8]
SIZE_PT = (100.0, 150.0)


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    """Windows deletes no file that is open."""
    yield
    pages.close_files()


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


# --- pictures -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.png", {}), ("a.bmp", {}), ("a.tif", {}), ("a.webp", {"lossless": True}), ("a.gif", {})],
)
def test_a_picture_without_loss_comes_back_pixel_by_pixel(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    path = tmp_path / name
    Image.fromarray(drawn_page()).save(path, **options)
    assert count_pages(path) == 1
    page = load_page(path, 1)
    np.testing.assert_array_equal(page.gray, drawn_page())
    assert (page.full_size, page.reduction) == ((400, 600), 1)


def test_the_kind_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    Image.fromarray(drawn_page()).save(path, "PNG")
    np.testing.assert_array_equal(load_page(path, 1).gray, drawn_page())


def test_a_one_bit_png_is_black_and_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(bilevel_page()).convert("1").save(path)
    np.testing.assert_array_equal(load_page(path, 1).gray, bilevel_page())


def test_a_sixteen_bit_png_keeps_its_greys(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(drawn_page().astype(np.uint16) * 257).save(path)
    np.testing.assert_array_equal(load_page(path, 1).gray, drawn_page())


def test_a_palette_png_shows_its_colours_and_not_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(255 - drawn_page()).convert("P").save(path)
    assert np.abs(load_page(path, 1).gray.astype(int) - (255 - drawn_page())).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_shows_white_paper(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    black = Image.new("RGBA", (400, 600), (0, 0, 0, 0))
    black.paste((0, 0, 0, 255), (0, 0, 100, 100))
    if mode == "P":
        palette = Image.new("P", black.size, 0)
        palette.putpalette([0, 0, 0, 0, 0, 0])
        palette.paste(1, (0, 0, 100, 100))
        palette.save(path, transparency=0)
    else:
        black.convert(mode).save(path)
    gray = load_page(path, 1).gray
    assert gray[50, 50] == 0
    assert gray[300, 300] == 255


def test_colour_is_weighed_as_the_eye_does(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (400, 600), (255, 0, 0)).save(path)
    assert load_page(path, 1).gray[0, 0] == 76


def test_a_cmyk_jpeg_is_not_read_as_its_negative(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(drawn_page()).convert("RGB").convert("CMYK").save(path, quality=92)
    assert close_to(load_page(path, 1), drawn_page())


# --- orientation and reduction ----------------------------------------------------------------


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("reduction", [1, 2, 4])
def test_every_orientation_comes_out_upright(
    tmp_path: Path, orientation: int, suffix: str, reduction: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(as_stored(drawn_page(), orientation)).save(path, exif=exif)
    page = load_page(path, 1, min_long_side_px=600 // reduction)
    assert (page.full_size, page.reduction) == ((400, 600), reduction)
    assert close_to(page, drawn_page()[::reduction, ::reduction])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "group4"])
def test_turned_tiff_pages_come_out_upright_however_often_asked(
    tmp_path: Path, compression: str
) -> None:
    path = tmp_path / "a.tif"
    turned = Image.fromarray(as_stored(bilevel_page(), 6)).convert("1")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(path, save_all=True, append_images=[turned], exif=exif, compression=compression)
    for number in (1, 1, 2, 1):
        np.testing.assert_array_equal(load_page(path, number).gray, bilevel_page())


@pytest.mark.parametrize(
    ("asked", "reduction"),
    [(0, 1), (601, 1), (600, 1), (301, 1), (300, 2), (150, 4), (75, 8), (1, 8)],
)
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_page_is_reduced_as_far_as_the_long_side_allows(
    tmp_path: Path, suffix: str, asked: int, reduction: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(drawn_page()).save(path)
    page = load_page(path, 1, min_long_side_px=asked)
    assert page.reduction == reduction
    assert max(page.gray.shape) == 600 // reduction
    assert page.full_size == (400, 600)


def test_one_bit_print_becomes_grey_when_reduced(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    stripes = np.tile(np.array([0, 255], np.uint8), (600, 200))
    Image.fromarray(stripes).convert("1").save(path)
    assert set(np.unique(load_page(path, 1, min_long_side_px=300).gray)) <= {127, 128}


def test_the_stated_resolution_is_handed_on_and_nonsense_is_not(tmp_path: Path) -> None:
    for dpi, expected in (((200, 200), 200.0), ((204, 98), None), ((1, 1), None)):
        path = tmp_path / f"{dpi[0]}.tif"
        Image.fromarray(drawn_page()).save(path, dpi=dpi)
        assert load_page(path, 1).dpi == expected


# --- TIFF -------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_lzw", "tiff_deflate", "raw"])
def test_every_page_of_a_one_bit_tiff_is_read(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    sheets = [bilevel_page(), np.ascontiguousarray(bilevel_page()[::-1]), bilevel_page()]
    first, *rest = (Image.fromarray(sheet).convert("1") for sheet in sheets)
    first.save(path, save_all=True, append_images=rest, compression=compression)
    assert count_pages(path) == 3
    for number in (3, 1, 2):
        np.testing.assert_array_equal(load_page(path, number).gray, sheets[number - 1])


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw", "tiff_adobe_deflate", "raw"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_and_colour_tiff_pages_are_read(tmp_path: Path, compression: str, mode: str) -> None:
    path = tmp_path / "a.tif"
    options: dict[str, Any] = {"quality": 92} if compression == "jpeg" else {}
    Image.fromarray(drawn_page()).convert(mode).save(path, compression=compression, **options)
    assert close_to(load_page(path, 1), drawn_page())


@pytest.mark.parametrize("one_bit", [True, False])
def test_a_tiff_in_which_zero_is_white_is_not_read_as_its_negative(
    tmp_path: Path, *, one_bit: bool
) -> None:
    path = tmp_path / "a.tif"
    sheet = bilevel_page()
    image = Image.fromarray(sheet).convert("1" if one_bit else "L")
    image.save(path, tiffinfo={262: 0})
    np.testing.assert_array_equal(load_page(path, 1).gray, sheet)


def test_pages_of_one_tiff_may_differ_in_size(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    small, large = Image.new("L", (300, 400), 255), Image.new("1", (600, 900), 1)
    small.save(path, save_all=True, append_images=[large])
    assert [load_page(path, number).full_size for number in (1, 2)] == [(300, 400), (600, 900)]


# --- PDF --------------------------------------------------------------------------------------


def test_the_jpeg_in_a_pdf_is_the_same_image_as_the_jpeg_file(tmp_path: Path) -> None:
    data = jpeg_bytes(drawn_page())
    (tmp_path / "a.jpg").write_bytes(data)
    pdf = write_pdf(tmp_path / "a.pdf", [jpeg_image(data)])
    alone, wrapped = load_page(tmp_path / "a.jpg", 1), load_page(pdf, 1)
    assert alone.image_hash == wrapped.image_hash == hashlib.sha256(data).hexdigest()
    np.testing.assert_array_equal(alone.gray, wrapped.gray)
    assert wrapped.dpi == pytest.approx(288)


def test_a_pdf_made_by_pillow_gives_up_its_jpegs(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    sheets = [Image.fromarray(drawn_page()), Image.fromarray(drawn_page()[::-1].copy())]
    sheets[0].save(path, save_all=True, append_images=sheets[1:], resolution=200.0)
    assert count_pages(path) == 2
    page = load_page(path, 2, min_long_side_px=300)
    assert (page.full_size, page.reduction) == ((400, 600), 2)
    assert page.dpi == pytest.approx(200, abs=1)
    assert close_to(page, drawn_page()[::-2, ::2])


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90])
def test_a_turned_page_is_turned_as_it_would_be_shown(tmp_path: Path, rotate: int) -> None:
    path = write_pdf(tmp_path / "a.pdf", [flate_image(drawn_page())], rotate=rotate)
    expected = np.rot90(drawn_page(), -rotate // 90 % 4)
    np.testing.assert_array_equal(load_page(path, 1).gray, expected)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("matrix", "landscape"),
    [
        ("100 0 0 150 0 0", False),
        ("-100 0 0 150 100 0", False),
        ("100 0 0 -150 0 150", False),
        ("-100 0 0 -150 100 150", False),
        ("0 100 150 0 0 0", True),
        ("0 100 -150 0 150 0", True),
        ("0 -100 150 0 0 100", True),
        ("0 -100 -150 0 150 100", True),
    ],
)
def test_a_turned_or_mirrored_image_lies_as_a_viewer_shows_it(
    tmp_path: Path,
    matrix: str,
    rotate: int,
    *,
    landscape: bool,
) -> None:
    box = (0.0, 0.0, 150.0, 100.0) if landscape else (0.0, 0.0, 100.0, 150.0)
    image = [flate_image(drawn_page())]
    taken = load_page(
        write_pdf(tmp_path / "a.pdf", image, matrix=matrix, box=box, rotate=rotate), 1
    )
    ruled = f"q {matrix} cm /Im0 Do Q 0 0 0.01 0.01 re f".encode()
    path = write_pdf(tmp_path / "b.pdf", image, content=ruled, box=box, rotate=rotate)
    (drawn,) = load_blanks(path, dpi=288)
    assert taken.full_size == drawn.gray.shape[::-1]
    assert np.mean(np.abs(taken.gray.astype(int) - drawn.gray.astype(int)) > 40) < 0.02


def test_one_bit_fax_pages_in_a_pdf_are_taken_out_pixel_by_pixel(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    Image.fromarray(bilevel_page()).convert("1").save(path, resolution=200)
    with pikepdf.open(path) as pdf:
        (image,) = pdf.pages[0].resources.XObject.values()
        assert "/CCITTFaxDecode" in str(image.get("/Filter"))
    np.testing.assert_array_equal(load_page(path, 1).gray, bilevel_page())


def test_an_indexed_image_shows_its_colours(tmp_path: Path) -> None:
    space = pikepdf.Array(
        [pikepdf.Name.Indexed, pikepdf.Name.DeviceGray, 1, pikepdf.String(b"\xff\x00")]
    )
    image = bilevel_image(255 - bilevel_page(), ColorSpace=space)
    np.testing.assert_array_equal(
        load_page(write_pdf(tmp_path / "a.pdf", [image]), 1).gray, bilevel_page()
    )


def test_an_inverted_or_stencilled_scan_is_not_read_as_its_negative(tmp_path: Path) -> None:
    inverted = bilevel_image(255 - bilevel_page(), Decode=[1, 0])
    stencil = bilevel_image(bilevel_page(), ImageMask=True)
    del stencil["ColorSpace"]
    negative_jpeg = jpeg_image(jpeg_bytes(255 - bilevel_page())) | {"Decode": [1, 0]}
    for name, image in (("a", inverted), ("b", stencil), ("c", negative_jpeg)):
        (page,) = load_blanks(write_pdf(tmp_path / f"{name}.pdf", [image]), dpi=288)
        assert np.mean(np.abs(page.gray.astype(int) - bilevel_page()) > 60) < 0.02, name


def test_a_cmyk_jpeg_in_a_pdf_is_not_read_as_its_negative(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(drawn_page()).convert("RGB").convert("CMYK").save(buffer, "JPEG", quality=92)
    image = jpeg_image(buffer.getvalue()) | {
        "ColorSpace": pikepdf.Name.DeviceCMYK,
        "Decode": [1, 0, 1, 0, 1, 0, 1, 0],
    }
    (page,) = load_blanks(write_pdf(tmp_path / "a.pdf", [image]), dpi=288)
    assert page.gray[300, 390] > 230
    assert page.gray[50, 50] < 60


def test_a_page_of_strips_is_drawn_whole(tmp_path: Path) -> None:
    upper, lower = np.split(drawn_page(), 2)
    path = write_pdf(tmp_path / "a.pdf", [flate_image(np.ascontiguousarray(upper))])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        entry = flate_image(np.ascontiguousarray(lower))
        data = entry.pop("data")
        stream = pikepdf.Stream(pdf, data, Subtype=pikepdf.Name.Image, **entry)  # type: ignore[arg-type]
        pdf.pages[0].resources.XObject.Im1 = stream
        content = b"q 100 0 0 75 0 75 cm /Im0 Do Q q 100 0 0 75 0 0 cm /Im1 Do Q"
        pdf.pages[0].Contents = pikepdf.Stream(pdf, content)
        pdf.save(path)
    (page,) = load_blanks(path, dpi=288)
    assert np.mean(np.abs(page.gray.astype(int) - drawn_page()) > 40) < 0.02


@pytest.mark.parametrize(
    "ink",
    [
        b"BT /F0 12 Tf 10 10 Td (x) Tj ET",
        b"0 0 50 50 re f",
        b"0 0 m 50 50 l S",
        b"q 20 0 0 20 0 0 cm /Im0 Do Q",
        b"BI /W 1 /H 1 /BPC 8 /CS /G ID \x00 EI",
    ],
)
def test_anything_drawn_beside_the_scan_is_seen(tmp_path: Path, ink: bytes) -> None:
    data = jpeg_bytes(drawn_page())
    content = b"q 100 0 0 150 0 0 cm /Im0 Do Q " + ink
    path = write_pdf(tmp_path / "a.pdf", [jpeg_image(data)], content=content)
    assert load_page(path, 1).image_hash != hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "inkless",
    [
        b"BT 3 Tr /F0 12 Tf 10 10 Td (recognised) Tj ET",
        b"/Artifact BMC EMC 0 g",
        b"0 0 100 150 re W n",
    ],
)
def test_what_leaves_no_ink_does_not_hide_the_scan(tmp_path: Path, inkless: bytes) -> None:
    data = jpeg_bytes(drawn_page())
    content = inkless + b" q 100 0 0 150 0 0 cm /Im0 Do Q"
    path = write_pdf(tmp_path / "a.pdf", [jpeg_image(data)], content=content)
    assert load_page(path, 1).image_hash == hashlib.sha256(data).hexdigest()


def test_a_scan_that_a_clip_cuts_or_the_page_does_not_show_whole_is_drawn(tmp_path: Path) -> None:
    data = jpeg_bytes(drawn_page())
    clip = b"0 0 60 150 re W n q 100 0 0 150 0 0 cm /Im0 Do Q"
    clipped = write_pdf(tmp_path / "a.pdf", [jpeg_image(data)], content=clip)
    cropped = write_pdf(tmp_path / "b.pdf", [jpeg_image(data)], box=(20, 0, 100, 150))
    for path in (clipped, cropped):
        assert load_page(path, 1).image_hash != hashlib.sha256(data).hexdigest()


def test_a_note_stuck_onto_a_page_is_seen(tmp_path: Path) -> None:
    data = jpeg_bytes(drawn_page())
    path = write_pdf(tmp_path / "a.pdf", [jpeg_image(data)])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        look = pikepdf.Stream(pdf, b"0 g 0 0 20 20 re f", BBox=[0, 0, 20, 20])
        look.Subtype = pikepdf.Name.Form
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Stamp,
            Rect=[60, 40, 80, 60],
            F=4,
            AP=pikepdf.Dictionary(N=look),
        )
        pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(note)])
        pdf.save(path)
    (page,) = load_blanks(path, dpi=288)
    assert page.gray[400, 280] < 20
    assert drawn_page()[400, 280] == 255


def test_a_page_of_text_is_drawn_at_200_dpi_or_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path), pagesize=(595, 842))
    canvas.rect(72, 842 - 144, 72, 72, fill=1)
    canvas.showPage()
    canvas.save()
    page = load_page(path, 1)
    assert page.full_size == (1653, 2339)
    assert page.gray[300, 300] == 0
    assert page.gray[500, 500] == 255
    (blank,) = load_blanks(path, dpi=300)
    assert blank.gray.shape == (3509, 2480)
    assert blank.dpi == pytest.approx(300)
    assert load_page(path, 1, min_long_side_px=1000).image_hash == page.image_hash


# --- files that cannot be read ----------------------------------------------------------------


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


def noisy_page() -> Gray:
    return np.random.default_rng(1).integers(0, 255, (600, 400)).astype(np.uint8)


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


# --- lists of files ---------------------------------------------------------------------------


def names(paths: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_a_folder_gives_its_files_in_the_order_people_count(tmp_path: Path) -> None:
    for name in (
        "page10.png",
        "page2.png",
        "Page1.png",
        "box2/a.pdf",
        "box10/a.pdf",
        "thư.docx",
        "Thumbs.db",
        "box2/desktop.ini",
        ".hidden/a.png",
        "._page1.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    expected = ["Page1.png", "page2.png", "page10.png", "thư.docx", "box2/a.pdf", "box10/a.pdf"]
    assert names(expand_paths([tmp_path]), tmp_path) == expected


def test_a_pattern_is_filled_in_where_the_shell_does_not(tmp_path: Path) -> None:
    for name in ("p10.png", "p9.png", "q1.png", "p[1].png"):
        (tmp_path / name).write_bytes(b"x")
    assert names(expand_paths([tmp_path / "p*.png"]), tmp_path) == ["p9.png", "p10.png", "p[1].png"]
    assert names(expand_paths([str(tmp_path / "p[1].png")]), tmp_path) == ["p[1].png"]


def test_named_files_keep_their_order_and_none_comes_twice(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "c.png"):
        (tmp_path / name).write_bytes(b"x")
    asked = [tmp_path / "b.png", tmp_path, tmp_path / "a.png"]
    assert names(expand_paths(asked), tmp_path) == ["b.png", "a.png", "c.png"]


@pytest.mark.parametrize("name", ["missing.pdf", "*.pdf"])
def test_a_name_to_which_nothing_answers_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArgumentsError):
        expand_paths([tmp_path / name])


@given(st.lists(st.integers(0, 10**6), unique=True), st.sampled_from(["trang", "Phiếu ", "x-", ""]))
def test_numbered_names_sort_by_their_numbers(numbers: list[int], stem: str) -> None:
    files = [Path(f"{stem}{number}.png") for number in numbers]
    ordered = [Path(f"{stem}{number}.png") for number in sorted(numbers)]
    assert sorted(files, key=sort_key) == ordered


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1)))
def test_any_names_can_be_sorted_and_the_order_is_one(raw: list[str]) -> None:
    files = [Path(name) for name in raw]
    assert sorted(files, key=sort_key) == sorted(reversed(files), key=sort_key)
