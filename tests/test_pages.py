"""Files become page images: every kind of picture, every way up, lists of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scanner.errors import (
    BadArgumentsError,
)
from scanner.reading.pages import (
    close_files,
    count_pages,
    expand_paths,
    load_page,
    natural_key,
)
from tests.scans import (
    as_stored,
    bilevel_page,
    close_to,
    drawn_page,
)


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    """Windows deletes no file that is open."""
    yield
    close_files()


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
    assert sorted(files, key=natural_key) == ordered


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1)))
def test_any_names_can_be_sorted_and_the_order_is_one(raw: list[str]) -> None:
    files = [Path(name) for name in raw]
    assert sorted(files, key=natural_key) == sorted(reversed(files), key=natural_key)
