"""Draws a stack's graph as SVG: boxes in columns, needs as lines from right to left. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from controller.adapters.pulumi.graph import Box, layers

_LETTER, _LINE, _PAD = 6.7, 17.0, 10.0
_GAP_X, _GAP_Y, _MARGIN, _HEAD = 110.0, 22.0, 24.0, 44.0
_STYLE = """
text { font: 11.5px "DejaVu Sans", Verdana, sans-serif; fill: #1c2733 }
.title { font-weight: bold } .kind { fill: #5b6b7b } .head { font-size: 17px; font-weight: bold }
.box { fill: #fff; stroke: #7b8da0 } .bar { fill: #dfe9f3; stroke: #7b8da0 } .other { fill: #fdf1d8; stroke: #b08b3a }
.need { fill: none; stroke: #55708c; stroke-opacity: .55; stroke-width: 1.3 }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a box stands, in pixels."""

    x: float
    y: float
    width: float
    height: float


def drawing(title: str, boxes: Sequence[Box]) -> str:
    """The whole document."""
    places, width, height = _places(layers(boxes))
    shown = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#55708c"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#f7f9fb"/>',
        f'<text class="head" x="{_MARGIN}" y="{_MARGIN + 8}">{escape(title)}</text>',
        *(line for box in boxes for line in _needs(box, places)),
        *(part for box in boxes for part in _box(box, places[box.urn])),
        "</svg>",
    ]
    return "\n".join(shown) + "\n"


def _width(box: Box) -> float:
    longest = max([len(box.title) * 1.12, *(len(row.kind) + len(row.name) + 2 for row in box.rows)])
    return longest * _LETTER + 2 * _PAD


def _places(columns: Sequence[Sequence[Box]]) -> tuple[dict[str, Place], float, float]:
    places: dict[str, Place] = {}
    x, bottom = _MARGIN, _HEAD
    order: dict[str, float] = {}
    for column in columns:
        y, widest = _MARGIN + _HEAD, 0.0
        for box in sorted(column, key=lambda box: (_middle(box, order), box.title)):
            height = _LINE * (len(box.rows) + 1) + _PAD
            places[box.urn] = Place(x=x, y=y, width=_width(box), height=height)
            order[box.urn] = y + height / 2
            y, widest = y + height + _GAP_Y, max(widest, _width(box))
        x, bottom = x + widest + _GAP_X, max(bottom, y)
    return places, x - _GAP_X + _MARGIN, bottom - _GAP_Y + _MARGIN


def _middle(box: Box, order: Mapping[str, float]) -> float:
    """The mean height of what it needs: boxes stand beside what they use, so that few lines cross."""
    heights = [order[need] for need in box.needs if need in order]
    return sum(heights) / len(heights) if heights else 0.0


def _needs(box: Box, places: Mapping[str, Place]) -> Iterator[str]:
    here = places[box.urn]
    for need in box.needs:
        if need not in places:
            continue
        there = places[need]
        x1, y1 = here.x, here.y + _LINE / 2 + _PAD / 2
        x2, y2 = there.x + there.width, there.y + _LINE / 2 + _PAD / 2
        bend = max(40.0, abs(x1 - x2) / 2)
        curve = f"M{x1:.0f},{y1:.0f} C{x1 - bend:.0f},{y1:.0f} {x2 + bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
        yield f'<path class="need" d="{curve}" marker-end="url(#to)"/>'


def _box(box: Box, at: Place) -> Iterator[str]:
    bar = "other" if not box.rows else "bar"
    yield f'<rect class="box" x="{at.x:.0f}" y="{at.y:.0f}" width="{at.width:.0f}" height="{at.height:.0f}" rx="4"/>'
    yield (
        f'<rect class="{bar}" x="{at.x:.0f}" y="{at.y:.0f}" width="{at.width:.0f}" '
        f'height="{_LINE + _PAD / 2:.0f}" rx="4"/>'
    )
    yield f'<text class="title" x="{at.x + _PAD:.0f}" y="{at.y + _LINE - 1:.0f}">{escape(box.title)}</text>'
    for number, row in enumerate(box.rows, start=2):
        name = f'<tspan class="kind">{escape(row.kind)}</tspan> {escape(row.name)}'
        yield f'<text x="{at.x + _PAD:.0f}" y="{at.y + _LINE * number:.0f}">{name}</text>'
