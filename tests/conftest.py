"""The lab is one for the whole session, whichever folder asks for it first."""

from tests.fakes.postgres import postgres
from tests.lab.fixtures import lab, standing_lab

__all__ = ["lab", "postgres", "standing_lab"]
