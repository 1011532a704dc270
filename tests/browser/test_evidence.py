"""The evidence, opened as a folder of files: no server, no network, no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import now
from scanner.counting.store import Store
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.publishing.evidence import EvidenceRequest, write_evidence
from tests.browser.conftest import DESKTOP, PHONE
from tests.reviewed_counts import copy_count


@pytest.fixture(scope="module")
def evidence(scanned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first page of the evidence of a count."""
    folder = tmp_path_factory.mktemp("evidence")
    with Store(copy_count(scanned, folder / "count")) as store:
        forms = load_kept_forms(store)
        return write_evidence(store, forms, folder / "evidence", EvidenceRequest(), now())


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that has no network and runs no script; whatever it asks for is a file."""
    context = chromium.new_context(offline=True, java_script_enabled=False, viewport=DESKTOP)
    opened = context.new_page()
    asked: list[Request] = []
    failed: list[Request] = []
    opened.on("request", lambda request: asked.append(request))
    opened.on("requestfailed", lambda request: failed.append(request))
    yield opened
    context.close()
    assert asked
    assert all(request.url.startswith("file://") for request in asked)
    # A picture that has not come yet when its page is left is none that is missing.
    assert [one.url for one in failed if one.failure != "net::ERR_ABORTED"] == []


def test_three_clicks_lead_from_a_figure_to_the_paper(page: Page, evidence: Path) -> None:
    page.goto(evidence.as_uri())
    figure = page.locator("caption ~ tbody td.number a").first
    votes = int(figure.inner_text())
    figure.click()
    page.wait_for_url("**/figures/*.html")
    crops = page.locator(".crops a")
    assert crops.count() == votes
    assert all(_is_drawn(image) for image in page.locator(".crops img").all())
    crops.first.click()
    page.wait_for_url("**/sheets/*.html*")
    paper = page.locator(".sheet svg").first
    box = paper.bounding_box()
    assert box is not None
    assert box["height"] > 600
    assert page.get_by_role("heading", name="Who decided").is_visible()
    page.locator(".sheet a").first.click()
    page.wait_for_url("**/*.jpg")


def test_three_clicks_lead_from_a_figure_of_papers_to_the_paper(page: Page, evidence: Path) -> None:
    page.goto(evidence.as_uri())
    row = page.locator("table.short tr").filter(has_text="valid").first
    papers = int(row.locator("a").inner_text())
    row.locator("a").click()
    page.wait_for_url("**/papers/valid-1.html")
    assert page.locator(".papers a").count() == papers
    page.locator(".papers a").first.click()
    page.wait_for_url("**/sheets/*.html")
    page.locator(".sheet a").first.click()
    page.wait_for_url("**/*.jpg")


def test_every_page_can_be_left_again(page: Page, evidence: Path) -> None:
    pages = sorted(evidence.parent.rglob("*.html"))
    for path in pages[:: len(pages) // 8]:
        if path != evidence:
            page.goto(path.as_uri())
            page.get_by_role("link", name="All figures").click()
            page.wait_for_url(evidence.as_uri())


def test_the_pages_fit_a_telephone(chromium: Browser, evidence: Path) -> None:
    context = chromium.new_context(offline=True, viewport=PHONE)
    page = context.new_page()
    folders = (evidence.parent / name for name in ("figures", "papers", "sheets"))
    for path in (evidence, *(next(folder.iterdir()) for folder in folders)):
        page.goto(path.as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
    context.close()


def test_the_figures_are_those_of_the_count(page: Page, evidence: Path) -> None:
    with Store(evidence.parents[1] / "count") as store:
        forms = load_kept_forms(store)
        tally = make_tally(store, forms, TallyHeading(), at=now())
    page.goto(evidence.as_uri())
    shown = [
        int(cell.inner_text()) for cell in page.locator("caption ~ tbody td:nth-child(2)").all()
    ]
    expected = [
        figure
        for form in tally.forms
        for contest in form.contests
        for figure in (*(one.votes for one in contest.options), contest.blank, contest.overvote)
    ]
    assert shown == expected


def _is_drawn(image: object) -> bool:
    box = image.bounding_box()  # type: ignore[attr-defined]
    return box is not None and box["height"] > 20
