"""Somebody who corrects a form on its page, each action counted and given its time."""

from __future__ import annotations

from collections import Counter

from playwright.sync_api import Locator, Page

SECONDS = {"click": 2.0, "drag": 4.0, "key": 0.6, "letter": 0.5, "look": 2.0}
"""What an action takes somebody who does it seldom. The keystroke-level model of Card, Moran and
Newell (1980) has 1.3, 2.6, 0.5, 0.28 and 1.35 for those who know the page."""


class Clerk:
    """Mouse and keyboard at a form's page.

    Args:
        page: A page that shows a form.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.done: Counter[str] = Counter()

    @property
    def seconds(self) -> float:
        """What all that was done would have taken a person."""
        return sum(SECONDS[action] * times for action, times in self.done.items())

    def look(self, times: int = 1) -> None:
        """Compare something with the paper."""
        self.done["look"] += times

    def click(self, what: str | Locator, *, shift: bool = False) -> None:
        """Click something."""
        self.done["click"] += 1
        found = self.page.locator(what).first if isinstance(what, str) else what
        found.click(modifiers=["Shift"] if shift else [])

    def press(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.done["key"] += 1
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type in the place of what stands in the field."""
        self.press("Control+a")
        self.done["letter"] += len(text)
        self.page.keyboard.type(text)

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Drag between two places of the page, in millimetres; the sheet is scrolled to them."""
        self.done["drag"] += 1
        self.page.locator("#sheet").evaluate(
            "(sheet, y) => sheet.scrollTo(0, y * sheet.querySelector('svg').clientWidth / 210"
            " - sheet.clientHeight / 2)",
            (y0 + y1) / 2,
        )
        start, end = self._at(x0, y0), self._at(x1, y1)
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self.page.mouse.move(*end)
        self.page.mouse.up()

    def drag_handle(self, side: str, x_mm: float, y_mm: float) -> None:
        """Drag a handle of what is selected by so many millimetres."""
        self.done["drag"] += 1
        box = self.page.locator(f".handle.{side}").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        scale = self._scale()
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + x_mm * scale / 2, y + y_mm * scale / 2)
        self.page.mouse.move(x + x_mm * scale, y + y_mm * scale)
        self.page.mouse.up()

    def settle(self) -> None:
        """Wait until the page has sent what it had to send, and shows the answer."""
        self.page.locator("#bench[aria-busy='false']").wait_for()

    def _scale(self) -> float:
        box = self.page.locator("#drawing").bounding_box()
        assert box is not None
        return box["width"] / 210

    def _at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator("#drawing").bounding_box()
        assert box is not None
        scale = box["width"] / 210
        return box["x"] + x * scale, box["y"] + y * scale
