"""The public page: one HTML file for the portal, which loads nothing and names nobody.

It shows the figures of the tally and says how they were made. Names of those who counted, decided
or signed stay out of it, as do all words that voters wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from scanner.publishing.documents.blocks import Block, Chart, Look, Notice, Paragraph, Table
from scanner.publishing.documents.charts import EDGE_PT, INK, Drawing, Rectangle, Words, draw_bar
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.line_breaks import unbroken
from scanner.publishing.documents.minutes import count_lines
from scanner.publishing.documents.phrasing import day_text
from scanner.publishing.documents.tables import charts, index_line, result_tables

CHART_WIDTH_MM = 120.0
"""Narrow, so that its words can be read on a phone, where it becomes narrower still."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load: nothing; the style stands in the page itself."""
STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1.05rem/1.5 "Times New Roman", serif;
  color: #111; background: #fff; }
h1 { font-size: 1.5rem; line-height: 1.3; }
h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #777; padding: .25rem .5rem; vertical-align: top; text-align: left; }
.right { text-align: right; white-space: nowrap; }
.center { text-align: center; }
.wide { overflow-x: auto; }
.note { font-style: italic; }
.notice { border: 2px solid #900; padding: .5rem; font-weight: bold; }
@media (max-width: 40rem) { th, td { padding: .15rem .3rem; font-size: .9rem; } }
svg { width: 100%; max-width: 40rem; height: auto; display: block; }
"""
ALIGN_CLASS = {"left": "", "centre": "center", "right": "right"}


def public_page(facts: Facts) -> str:
    """The whole page."""
    unit = facts.unit
    title = escape(f"Kết quả {unit.subject} {unit.period.name}")
    body = "\n".join(_body(facts))
    return unbroken(
        f'<!DOCTYPE html>\n<html lang="{facts.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<p>{escape(unit.name)}</p>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(facts: Facts) -> Iterator[str]:
    unit = facts.unit
    yield from map(_html, facts.warning())
    first, last = day_text(unit.period.first), day_text(unit.period.last)
    yield f"<p>Thời gian khảo sát: từ {first} đến {last}.</p>"
    yield "<h2>Số phiếu</h2>"
    lines = "".join(f"<li>{escape(line.removeprefix('- '))}</li>" for line in count_lines(facts))
    yield f"<ul>{lines}</ul>"
    yield from map(_html, index_line(facts))
    yield "<h2>Kết quả theo từng câu hỏi</h2>"
    yield from map(_html, result_tables(facts))
    yield from map(_html, charts(facts))
    posting = unit.posting
    if posting.first_day is not None and posting.last_day is not None:
        first, last = day_text(posting.first_day), day_text(posting.last_day)
        board = escape(posting.board or unit.desk)
        yield f"<p>Địa điểm niêm yết: {board}; từ {first} đến hết {last}.</p>"
    if facts.seal is not None:
        yield f"<p>{escape(facts.words.fingerprint)} <b>{escape(facts.seal.fingerprint)}</b></p>"


def _html(block: Block) -> str:
    match block:
        case Paragraph():
            kind = ' class="note"' if block.look is Look.NOTE else ""
            return f"<p{kind}>{escape(block.text)}</p>"
        case Notice():
            return f'<p class="notice" role="note">{escape(block.text)}</p>'
        case Table():
            return (
                f'<div class="wide"><table>{_table_head(block)}{_table_rows(block)}</table></div>'
            )
        case Chart():
            bars = "\n".join(_svg(draw_bar(bar, CHART_WIDTH_MM)) for bar in block.bars)
            return f"<h2>{escape(block.title)}</h2>\n{bars}"
        case _other:
            raise TypeError(f"the public page has no {type(block).__name__}")


def _table_head(table: Table) -> str:
    cells = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in table.columns)
    return f"<thead><tr>{cells}</tr></thead>"


def _table_rows(table: Table) -> str:
    rows = []
    for start, end, joins in table.groups():
        for number in range(start, end + 1):
            row = table.rows[number]
            cells = []
            for place, (text, column) in enumerate(zip(row.cells, table.columns, strict=True)):
                if place < joins and number > start:
                    continue
                span = f' rowspan="{end - start + 1}"' if place < joins and end > start else ""
                align = ALIGN_CLASS[column.align]
                kind = f' class="{align}"' if align else ""
                cells.append(f"<td{span}{kind}>{escape(text)}</td>")
            rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<tbody>{''.join(rows)}</tbody>"


def _svg(drawing: Drawing) -> str:
    shapes = "".join(map(_shape, drawing.shapes))
    return (
        f'<svg viewBox="0 0 {drawing.width:.2f} {drawing.height:.2f}" role="img"'
        f' aria-label="{escape(drawing.said)}">{shapes}</svg>'
    )


def _shape(shape: Rectangle | Words) -> str:
    if isinstance(shape, Rectangle):
        edge = f' stroke="{INK}" stroke-width="{EDGE_PT * 25.4 / 72:.2f}"' if shape.has_edge else ""
        return (
            f'<rect x="{shape.x:.2f}" y="{shape.y:.2f}" width="{shape.width:.2f}"'
            f' height="{shape.height:.2f}" fill="{shape.fill}"{edge}/>'
        )
    size = shape.size_pt * 25.4 / 72
    return (
        f'<text x="{shape.x:.2f}" y="{shape.y:.2f}" font-size="{size:.2f}" fill="{shape.fill}">'
        f"{escape(shape.text)}</text>"
    )
