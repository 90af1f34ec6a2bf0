"""Which cloud and region an entry of clouds.yaml means."""

from pathlib import Path

import pytest

from controller.adapters.openstack.session import open_connection
from controller.errors import InputError

ENTRY = """\
clouds:
  gdcc:
    auth: {auth_url: "http://127.0.0.1:1/v3", username: u, password: p, project_name: p,
           user_domain_id: default, project_domain_id: default}
"""


def region(tmp_path: Path, entry: str, asked: str | None = None) -> str | None:
    file = tmp_path / "clouds.yaml"
    file.write_text(ENTRY + entry)
    connection = open_connection("gdcc", region=asked, clouds_file=file)
    connection.close()
    return connection.region


@pytest.mark.parametrize("entry", ["    regions: [north, south]\n", "    regions: [{name: north}, {name: south}]\n"])
def test_of_several_regions_one_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    monkeypatch.delenv("OS_REGION_NAME", raising=False)
    with pytest.raises(InputError, match=r"cloud gdcc: has the regions north, south \(name one in cloud.region"):
        region(tmp_path, entry)
    assert region(tmp_path, entry, "south") == "south"
    monkeypatch.setenv("OS_REGION_NAME", "south")
    assert region(tmp_path, entry) == "south"


def test_one_region_or_none_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_REGION_NAME", raising=False)
    assert region(tmp_path, "    regions: [north]\n") == "north"
    assert region(tmp_path, "    region_name: south\n") == "south"
    assert region(tmp_path, "") in {None, ""}
