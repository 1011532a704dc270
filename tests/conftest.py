"""What every test starts from: English messages, whatever this machine speaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scanner import messages


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Messages are English unless the test chooses otherwise, and are so again after it."""
    monkeypatch.setenv("KIEMPHIEU_LANG", "en")
    messages.set_language(None)
    yield
    messages.set_language(None)
