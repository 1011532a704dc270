"""The scan inside a PDF page is taken out as it is; any other page is drawn."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from scanner.reading.pages import (
    close_files,
    count_pages,
    load_blanks,
    load_page,
)
from tests.scans import (
    bilevel_image,
    bilevel_page,
    close_to,
    drawn_page,
    flate_image,
    jpeg_bytes,
    jpeg_image,
    write_pdf,
)


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    """Windows deletes no file that is open."""
    yield
    close_files()


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


def test_nothing_is_said_about_a_pdf_that_is_open_when_the_program_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    sheet = Canvas(str(path))
    sheet.line(10, 10, 500, 800)
    sheet.save()
    root = Path(__file__).parents[1]
    command = [sys.executable, "cli.py", "scan", str(tmp_path / "count"), str(path), "-j", "1"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
