"""Plain tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

Cell = str | int | float


def format_table(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Rows under their names; the first column to the left, all others to the right."""
    texts = [list(names), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(names))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
