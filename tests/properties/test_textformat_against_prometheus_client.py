"""prometheus_client's parser is the oracle: what our reader accepts, it reads the same."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from controller.adapters.exporters.textformat import PageError, Reader

NAMES = ("m_total", "m", "other")
READER = Reader(NAMES[:2])

label_names = st.sampled_from(["a", "b", "cpu", "uuid", "_x1"])
label_values = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8) | st.sampled_from(
    ["\\", '"', "\n", "\\n", "}", "{", ",", "a b", "#", '\\"']
)
numbers = st.floats() | st.integers(-(10**18), 10**18)
gaps = st.sampled_from(["", " ", "\t", "  "])


@st.composite
def series(draw: st.DrawFn) -> tuple[object, str]:
    """What the line is about, and the line."""
    name = draw(st.sampled_from(NAMES))
    labels = draw(st.dictionaries(label_names, label_values, max_size=3))
    gap, comma = draw(gaps), draw(st.sampled_from(["", ","])) if labels else ""
    inner = f",{gap}".join(f'{key}{gap}={gap}"{_escaped(value)}"' for key, value in labels.items())
    block = f"{{{gap}{inner}{comma}{gap}}}" if labels or draw(st.booleans()) else ""
    return (name, tuple(sorted(labels.items()))), f"{name}{block} {gap}{_number(draw(numbers))}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return repr(value)


def _as_text(value: float) -> str:
    """So that NaN equals itself. The oracle reads `-0` as a whole number, which has no sign; so no zero has one."""
    return repr(float(value) + 0.0)


def _oracle(text: str) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return sorted((s.name, tuple(sorted(s.labels.items())), _as_text(s.value)) for s in samples if s.name != "other")


def _ours(text: str) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
    read = READER.read(text.encode())
    return sorted((s.name, tuple(sorted(s.labels.items())), _as_text(s.value)) for s in read)


@settings(max_examples=100, deadline=None)
@given(st.lists(series(), max_size=6, unique_by=lambda each: each[0]))
def test_every_page_that_exporters_may_send_is_read_as_the_oracle_reads_it(page: list[tuple[object, str]]) -> None:
    text = "# HELP m some words\n# TYPE m gauge\n\n" + "".join(f"{line}\n" for _, line in page)
    assert _ours(text) == _oracle(text)


@settings(max_examples=100, deadline=None)
@given(series(), st.data())
def test_a_damaged_line_is_refused_or_read_as_the_oracle_reads_it(
    told: tuple[object, str], data: st.DataObject
) -> None:
    _, line = told
    at = data.draw(st.integers(0, len(line) - 1))
    damaged = (
        line[:at] + data.draw(st.sampled_from(["", '"', "{", "}", "\\", "=", ",", " ", "x", "7"])) + line[at + 1 :]
    )
    try:
        ours = _ours(damaged + "\n")
    except PageError:
        return
    if ours:
        assert ours == _oracle(damaged + "\n")
