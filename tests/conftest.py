"""The lab is one for the whole session, whichever folder asks for it first."""

from tests.lab.fixtures import lab, standing_lab

__all__ = ["lab", "standing_lab"]
