"""The bundle: every sheet, small enough for the mail, and nothing private on it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from numpy.typing import NDArray
from PIL import Image

from scanner.ballot import UnreadablePage
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.store import Store
from scanner.forms.template import Comment, Form, Zone
from scanner.geometry import MM_PER_INCH, Box
from scanner.publishing import bundle
from scanner.publishing.bundle import DPI, MOST_BYTES, STRIP_MM, Bilevel, write_bundle
from scanner.publishing.fax_pdf import code_fax, write_fax_pdf
from tests.conftest import Run
from tests.reviewed_counts import ONE_PAGE, TWO_PAGES

SCALE = DPI / MM_PER_INCH
PAGES = 34
"""10 sheets of one page, 8 of two, 6 doubtful ones, 2 refused pages."""


@pytest.fixture(scope="module")
def pdf(scanned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "bundle.pdf"
    with Store(scanned) as store:
        summary = write_bundle(store, load_kept_forms(store), path)
    assert (summary.pages, summary.coarser, summary.not_shown) == (PAGES, 0, 2)
    return path


@pytest.fixture(scope="module")
def forms(scanned: Path) -> dict[str, Form]:
    with Store(scanned) as store:
        return {form.id: form for form in load_kept_forms(store)}


def drawn(path: Path) -> list[NDArray[np.uint8]]:
    """The pages as a reader of PDF shows them, at the resolution of the bundle."""
    document = pypdfium2.PdfDocument(path)
    pages = [
        page.render(scale=DPI / 72, grayscale=True).to_numpy().squeeze().copy() for page in document
    ]
    document.close()
    return pages


@pytest.fixture(scope="module")
def pages(pdf: Path) -> list[NDArray[np.uint8]]:
    return drawn(pdf)


def ink_in(page: NDArray[np.uint8], box: Box) -> float:
    """Share of a part of a page that is black; millimetres."""
    part = page[
        round(box.y * SCALE) : round(box.bottom * SCALE),
        round(box.x * SCALE) : round(box.right * SCALE),
    ]
    return float((part < 128).mean())


def private_zones(form: Form, page: int) -> list[Box]:
    zones: list[Zone | Comment] = [*form.private, *(one for one in form.comments if one.private)]
    return [Box(one.x, one.y, one.w, one.h) for one in zones if one.page == page]


def test_every_page_is_there_and_small_enough_to_be_mailed(pdf: Path) -> None:
    with pikepdf.open(pdf) as document:
        assert document.check_pdf_syntax() == []
        assert len(document.pages) == PAGES
        for page in document.pages:
            image = page.Resources.XObject.Im
            assert image.Filter == "/CCITTFaxDecode"
            assert len(image.read_raw_bytes()) <= MOST_BYTES
            width, height = (float(side) / 72 * DPI for side in list(page.MediaBox)[2:])
            assert abs(int(image.Width) - width) < 2
            assert abs(int(image.Height) - height) < 2


def test_marks_are_seen_and_private_words_are_not(
    pages: list[NDArray[np.uint8]], forms: dict[str, Form], scanned: Path
) -> None:
    with Store(scanned) as store:
        readings = [store.reading(source.page) for _sheet, source in store.sources()]
    assert len(readings) == len(pages)
    marked, unmarked, zones = [], [], 0
    for page, reading in zip(pages, readings, strict=True):
        if isinstance(reading, UnreadablePage):
            continue
        form = forms[reading.form]
        targets = {(c.id, o.id): o for c, o in form.targets_on(reading.page)}
        for target in reading.targets:
            option = targets[target.contest, target.option]
            inside = Box(option.x, option.y, option.w, option.h).grown(-0.6)
            if target.probability > 0.999:
                marked.append(ink_in(page, inside))
            elif target.probability < 0.001:
                unmarked.append(ink_in(page, inside))
        for zone in private_zones(form, reading.page):
            zones += 1
            # Two thin lines that cross, and nothing else; handwriting is a good deal more.
            quarter = Box(zone.x + zone.w * 0.44, zone.y + 1, zone.w * 0.12, zone.h * 0.2)
            assert ink_in(page, quarter) == 0
            assert ink_in(page, zone) < 0.05
    assert min(marked) > 0.04
    assert max(unmarked) < 0.02
    assert zones >= PAGES - 2


def test_each_page_has_its_number_below_the_paper(
    pages: list[NDArray[np.uint8]], forms: dict[str, Form]
) -> None:
    strips = []
    for page in pages:
        height_mm = page.shape[0] / SCALE
        strip = Box(40, height_mm - STRIP_MM + 1, 130, STRIP_MM - 2)
        assert 0.001 < ink_in(page, strip) < 0.2
        rows = page[round(strip.y * SCALE) : round(strip.bottom * SCALE)]
        strips.append(rows.tobytes())
    assert len(set(strips)) == len(pages)
    assert forms[ONE_PAGE].pages[0].height_mm == pytest.approx(297)
    assert len(forms[TWO_PAGES].pages) == 2


def test_of_a_refused_page_only_the_reason_is_shown(pages: list[NDArray[np.uint8]]) -> None:
    for page in pages[-2:]:
        paper = page[: -round((STRIP_MM + 1) * SCALE)]
        assert 0 < (paper < 128).mean() < 0.005


def test_where_the_vote_is_secret_the_order_is_drawn_by_lot(
    scanned: Path,
    pages: list[NDArray[np.uint8]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lot = random.Random(7)
    monkeypatch.setattr(bundle, "SystemRandom", lambda: lot)
    path = tmp_path / "secret.pdf"
    with Store(scanned) as store:
        assert write_bundle(store, load_kept_forms(store), path, is_secret=True).pages == PAGES
    secret = drawn(path)
    strip = round((STRIP_MM + 1) * SCALE)
    open_papers, papers = ([page[:-strip].tobytes() for page in of] for of in (pages, secret))
    assert papers != open_papers
    assert sorted(papers) == sorted(open_papers)
    # A sheet has another number than the one that tells its place in the scan.
    strips = [page[-strip + 16 :].tobytes() for page in secret]
    numbers = {
        paper: page[-strip + 16 :].tobytes() for paper, page in zip(open_papers, pages, strict=True)
    }
    kept = sum(strip == numbers[paper] for paper, strip in zip(papers, strips, strict=True))
    assert kept < PAGES / 3


def test_a_page_full_of_noise_still_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (2339, 1654), np.uint8)
    sizes = []
    for way in bundle.WAYS:
        width, height = (round(side * way.dpi / DPI) for side in (1654, 2339))
        gray = np.asarray(Image.fromarray(noise).resize((width, height)), np.uint8)
        ink = bundle.find_ink(gray, way)
        sizes.append(len(code_fax(Image.fromarray(~ink)).data))
    assert sizes[0] > MOST_BYTES
    assert sizes[-1] <= MOST_BYTES


def test_a_shadow_is_no_ink_and_a_pencil_stroke_is() -> None:
    gray = np.repeat(np.linspace(250, 130, 800), 600).reshape(800, 600).astype(np.uint8)
    gray[100:700, 300:304] = (gray[100:700, 300:304] * 0.7).astype(np.uint8)
    gray[50, 50] = 0
    ink: Bilevel = bundle.find_ink(gray, bundle.WAYS[0])
    assert ink[120:680, 300:304].mean() > 0.98
    ink[95:705, 295:309] = False
    assert not ink.any()


def test_black_is_black_and_white_is_white(tmp_path: Path) -> None:
    image = Image.new("1", (400, 200), "white")
    image.paste(0, (0, 0, 200, 100))
    path = tmp_path / "one.pdf"
    with path.open("wb") as stream, write_fax_pdf(stream) as pdf:
        pdf.add_page(code_fax(image), 400 / SCALE, 200 / SCALE)
    (page,) = drawn(path)
    assert page[5:95, 5:195].max() == 0
    assert page[105:195].min() == 255
    assert page[5:95, 205:395].min() == 255


def test_the_command_says_what_is_not_as_one_would_think(
    scanned: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, bool]] = []

    def write(_store: Store, _forms: list[Form], path: Path, *, is_secret: bool, tell: object
              ) -> bundle.BundleSummary:  # fmt: skip
        del tell
        asked.append((path, is_secret))
        return bundle.BundleSummary(pages=9, coarser=2, not_shown=1)

    monkeypatch.setattr(bundle, "write_bundle", write)
    code, out, _err = run("export", scanned, "--to", "bundle", "--secret", "-o", tmp_path / "b.pdf")
    assert code == 0
    assert asked == [(tmp_path / "b.pdf", True)]
    for said in ("Pages: 9", "to stay small: 2", "with the reason: 1"):
        assert said in out
