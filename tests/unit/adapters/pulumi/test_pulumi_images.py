"""Images as the estate classifies them and as Glance shows them: edits are proposed."""

import asyncio
from dataclasses import replace
from pathlib import Path

from controller.adapters.pulumi import finding, images
from inventory import load
from inventory.model import Classification

LAB = Path(__file__).parents[3] / "lab" / "estate-agencies"


class Glance:
    """Images by id."""

    def __init__(self, *visibilities):
        self.rows_by_id = dict(visibilities)

    async def find(self, service, path, params=None):
        assert service == "image"
        visibility = self.rows_by_id.get(path.rpartition("/")[2])
        return None if visibility is None else {"visibility": visibility}


def said(level, visibility):
    whole = load.load(LAB)
    image = replace(whole.images["gdcc-lab"], classification=level)
    estate = replace(whole, images={image.name: image})
    cloud = finding.Cloud(rows=Glance((image.id, visibility)), region="R")
    rows = asyncio.run(images.found(cloud, estate))
    return list(images.proposals(estate, rows, lambda name: load.place(LAB, "images", name, "classification")))


def test_an_image_that_fits_what_glance_shows_needs_no_edit():
    assert said(Classification.OPEN, "public") == said(Classification.SECRET, "shared") == []
    assert said(Classification.INTERNAL, "private") == []


def test_an_image_above_open_that_everybody_sees_is_told_at_its_line():
    line = next(n for n, row in enumerate((LAB / "cloud.yaml").read_text().splitlines(), 1) if "gdcc-lab" in row)
    for visibility in ("public", "community"):
        (sentence,) = said(Classification.CONFIDENTIAL, visibility)
        assert f"cloud.yaml:{line} and {visibility} in Glance: make it shared" in sentence
        assert sentence.startswith("image gdcc-lab is confidential in ")


def test_an_id_that_glance_does_not_have_is_told():
    (sentence,) = said(Classification.OPEN, None)
    assert "image gdcc-lab is no image of Glance by its id in " in sentence
