"""GDCC's systems that the public record names. Titles are public; levels, owners' rules and sizes are modelled.

Only the Digital Healthcare Platform's level (confidential: patients' data) is on record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.model import Budget, Classification, DataSet, Domain, Quota, Tier, Window
from inventory.windows import window

OWNERS: Mapping[str, str] = {
    "eeco": "Eastern Economic Corridor Office",
    "transport": "The Transport Company (bus terminals)",
    "police-region-8": "Royal Thai Police, Provincial Police Region 8",
    "public-health": "Ministry of Public Health",
    "energy": "Ministry of Energy",
    "digital-government": "Digital Government Development Agency",
    "judiciary": "Office of the Judiciary",
    "provincial-administration": "Department of Provincial Administration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """VMs of one role: the flavor's shape, how many, and the domain that they are spread over."""

    role: str
    shape: str
    count: int
    domain: Domain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str
    title: str
    agency: str
    level: Classification
    tier: Tier
    parts: tuple[Part, ...]
    budget: Budget
    windows: tuple[Window, ...] = field(default=())
    blackouts: tuple[Window, ...] = field(default=())
    quota: Quota | None = None
    share_network_with: tuple[str, ...] = field(default=())

    @property
    def vms(self) -> int:
        """How many VMs it has."""
        return sum(part.count for part in self.parts)


def _three_tiers(web: int, app: int, database: int, *, domain: Domain = Domain.RACK) -> tuple[Part, ...]:
    return (
        Part(role="web", shape="4c8g", count=web, domain=domain),
        Part(role="app", shape="4c16g", count=app, domain=domain),
        Part(role="db", shape="8c32g", count=database, domain=Domain.HOST),
    )


_NIGHTS = (window("Mon-Fri 20:00-06:00"), window("Sat,Sun 00:00-24:00"))
_TIGHT = Budget(at_once=1, per_hour=4)
_NORMAL = Budget(at_once=2, per_hour=12)

SYSTEMS = (
    Named(
        name="eec-oss",
        title="EEC-OSS, investors' one-stop service",
        agency="eeco",
        level=Classification.INTERNAL,
        tier=Tier.STANDARD,
        parts=_three_tiers(6, 8, 3),
        budget=_NORMAL,
        share_network_with=("national-energy-information",),
    ),
    Named(
        name="smart-bus-terminal",
        title="Smart Bus Terminal, live timetables of 81 bus terminals",
        agency="transport",
        level=Classification.OPEN,
        tier=Tier.STANDARD,
        parts=_three_tiers(8, 8, 2),
        budget=_NORMAL,
        blackouts=(window("Fri 16:00-22:00"), window("Sun 16:00-22:00")),
    ),
    Named(
        name="police-4-0",
        title="POLICE 4.0, crime map, camera map and patrol reports of Region 8",
        agency="police-region-8",
        level=Classification.SECRET,
        tier=Tier.CRITICAL,
        parts=_three_tiers(4, 6, 2, domain=Domain.HOST),
        budget=_TIGHT,
    ),
    Named(
        name="digital-healthcare",
        title="Digital Healthcare Platform, COVID-19 patients' data",
        agency="public-health",
        level=Classification.CONFIDENTIAL,
        tier=Tier.CRITICAL,
        parts=_three_tiers(8, 12, 4),
        budget=_TIGHT,
    ),
    Named(
        name="national-energy-information",
        title="National Energy Information Center",
        agency="energy",
        level=Classification.INTERNAL,
        tier=Tier.STANDARD,
        parts=_three_tiers(4, 8, 3),
        budget=_NORMAL,
    ),
    Named(
        name="e-office",
        title="e-Office",
        agency="digital-government",
        level=Classification.INTERNAL,
        tier=Tier.BASIC,
        parts=_three_tiers(12, 24, 4),
        budget=_NORMAL,
        windows=_NIGHTS,
        quota=Quota(floating_ips=20, snapshots=400),
    ),
    Named(
        name="web-blocking-petitions",
        title="The courts' web-blocking petition system",
        agency="judiciary",
        level=Classification.CONFIDENTIAL,
        tier=Tier.STANDARD,
        parts=_three_tiers(2, 4, 2),
        budget=_TIGHT,
        blackouts=(window("Mon-Fri 08:30-16:30"),),
    ),
    Named(
        name="thaid",
        title="ThaiD, digital identity",
        agency="provincial-administration",
        level=Classification.CONFIDENTIAL,
        tier=Tier.CRITICAL,
        parts=_three_tiers(10, 14, 4),
        budget=_TIGHT,
    ),
    Named(
        name="citizeninfo",
        title="CITIZENinfo",
        agency="digital-government",
        level=Classification.INTERNAL,
        tier=Tier.CRITICAL,
        parts=_three_tiers(6, 8, 3),
        budget=_TIGHT,
    ),
)

_OPEN, _INTERNAL, _CONFIDENTIAL, _SECRET = Classification
_PILOT: tuple[tuple[str, str, Classification, tuple[str, ...]], ...] = (
    ("bus-timetables", "smart-bus-terminal", _OPEN, ()),
    ("bus-terminals", "smart-bus-terminal", _OPEN, ()),
    ("bus-delays", "smart-bus-terminal", _OPEN, ()),
    ("investment-permits", "eec-oss", _INTERNAL, ("energy", "judiciary")),
    ("investment-zones", "eec-oss", _OPEN, ()),
    ("energy-balance", "national-energy-information", _OPEN, ()),
    ("fuel-prices", "national-energy-information", _OPEN, ()),
    ("power-demand", "national-energy-information", _INTERNAL, ("eeco", "digital-government")),
    ("crime-statistics", "police-4-0", _OPEN, ()),
    ("crime-map", "police-4-0", _CONFIDENTIAL, ("judiciary", "provincial-administration")),
    ("hospital-capacity", "digital-healthcare", _INTERNAL, ("police-region-8", "provincial-administration")),
    ("vaccination-coverage", "digital-healthcare", _OPEN, ()),
    ("blocked-sites", "web-blocking-petitions", _INTERNAL, ("police-region-8", "digital-government")),
    ("citizen-registry-links", "thaid", _CONFIDENTIAL, ("public-health", "judiciary")),
    ("service-directory", "citizeninfo", _OPEN, ()),
)


def data_sets() -> tuple[DataSet, ...]:
    """The pilot of 15 shared data sets; their number is public, what they hold and who reads them is modelled."""
    return tuple(
        DataSet(name=name, system=system, classification=level, readers=readers, public=level is Classification.OPEN)
        for name, system, level, readers in _PILOT
    )
