"""What the estate's benchmark says beside what it measured."""

import sys

import pytest

from benchmarks import estate


def test_what_was_not_measured_is_projected_from_the_slope_and_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    estate.projected("drift", {1: 10.0, 11: 60.0})
    assert capsys.readouterr().out == ("\ndrift: by the slope of 5.00 s an agency, not measured: 39 min for all 472.\n")


def test_one_size_has_no_slope(capsys: pytest.CaptureFixture[str]) -> None:
    estate.projected("drift", {1: 10.0})
    assert capsys.readouterr().out == ""


def test_the_proof_asks_for_the_labs_variables_before_it_measures_anything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OS_AUTH_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["estate.py", "--proof"])
    with pytest.raises(SystemExit):
        estate.main()
    assert "tests/lab/lab env" in capsys.readouterr().err
