"""Printed words are a second opinion; without Tesseract there is none, and nothing breaks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import cv2
import numpy as np
import pytesseract
import pytest

from scanner.forms.damage import Damage
from scanner.reading import text
from scanner.reading.text import available_languages, read_words
from tests.synthetic import Gray, photo_of_a_cat, scan_like

needs_tesseract = pytest.mark.skipif(not available_languages(), reason="Tesseract is not installed")


@pytest.fixture(autouse=True)
def fresh_languages() -> Iterator[None]:
    """What one test says of Tesseract must not outlive it."""
    available_languages.cache_clear()
    yield
    available_languages.cache_clear()


def line_of(words: str, *, zoom: float = 1.0) -> Gray:
    image = np.full((60, 700), 255, np.uint8)
    cv2.putText(image, words, (20, 40), cv2.FONT_HERSHEY_COMPLEX, 0.9, 0, 2, cv2.LINE_AA)
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA).astype(np.uint8)


@needs_tesseract
@pytest.mark.parametrize(("zoom", "dpi"), [(1.0, 150), (0.67, 100), (2.0, 300)])
def test_printed_words_are_read_in_lower_case_with_their_places(zoom: float, dpi: float) -> None:
    line = scan_like(line_of("Survey of the WARD Office", zoom=zoom), Damage(noise=2, black=40))
    found = read_words(line, dpi=dpi)
    words = {word.text: word.box for word in found}
    assert {"survey", "ward", "office"} <= set(words)
    assert words["survey"].right < words["ward"].x < words["office"].x
    assert words["survey"].x == pytest.approx(20 * zoom, abs=8 * zoom)
    assert words["survey"].y == pytest.approx(20 * zoom, abs=10 * zoom)


@needs_tesseract
def test_what_is_no_word_is_not_read_as_one() -> None:
    assert read_words(np.full((60, 700), 250, np.uint8), dpi=150) == []
    cat = [word for word in read_words(photo_of_a_cat((200, 300)), dpi=150) if len(word.text) > 3]
    assert cat == []


@pytest.mark.parametrize("shape", [(4, 300), (300, 4), (1, 1)])
def test_a_sliver_of_a_page_has_no_words(shape: tuple[int, int]) -> None:
    assert read_words(np.full(shape, 200, np.uint8), dpi=150) == []


@pytest.mark.parametrize(
    "failure",
    [
        pytesseract.TesseractNotFoundError(),
        pytesseract.TesseractError(1, "no data"),
        RuntimeError("Tesseract process timeout"),
        OSError("not allowed"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_without_a_working_tesseract_there_are_no_words(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise failure

    monkeypatch.setattr(pytesseract, "get_languages", fail)
    assert available_languages() == ()
    assert read_words(line_of("Survey"), dpi=150) == []


def test_a_tesseract_that_gives_up_on_a_picture_gives_no_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise RuntimeError("Tesseract process timeout")

    monkeypatch.setattr(text, "available_languages", lambda: ("eng",))
    monkeypatch.setattr(pytesseract, "image_to_data", fail)
    assert read_words(line_of("Survey"), dpi=150) == []


def test_a_tesseract_that_is_nowhere_on_the_path_is_no_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "no-such-program")
    assert available_languages() == ()
    assert read_words(line_of("Survey"), dpi=150) == []


@pytest.mark.parametrize(
    ("installed", "ours"),
    [
        (["eng", "osd", "vie"], ("vie", "eng")),
        (["eng", "osd"], ("eng",)),
        (["fra", "osd"], ()),
    ],
)
def test_only_languages_of_ours_are_used(
    installed: list[str], ours: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytesseract, "get_languages", lambda config: installed)
    assert available_languages() == ours


@needs_tesseract
def test_what_is_called_available_is_what_the_program_lists() -> None:
    listed = subprocess.run(
        [pytesseract.pytesseract.tesseract_cmd, "--list-langs"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(available_languages()) == {"vie", "eng"} & set(listed.stdout.split())
