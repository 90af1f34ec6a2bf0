"""`gdcc inventory`: check, show, generate and draft estates."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from controller.cli import estate_tables
from controller.cli.output import errors, people, print_json, refuse, told
from controller.model.cloud import Amount, CatalogFacts, CloudFacts, Provider
from inventory import draft as drafting
from inventory import dump, load, schema
from inventory import generate as generating
from inventory import summary as summing
from inventory.model import Estate

app = typer.Typer(no_args_is_help=True, help="The estate as data.")

FOR_ANSIBLE = "gdcc.yml"

MOST_FLAWS = 50
"""So many of what a draft leaves out are named, the rest is counted."""

DEMO = Path(load.__file__).with_name("estates") / "demo"

DirectoryArgument = Annotated[Path, typer.Argument(help="An estate's directory.", show_default="the demo estate")]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write; must be empty or not there.")]


@app.command()
def check(directory: DirectoryArgument = DEMO, as_json: JsonOption = False) -> None:
    """Tell everything that is wrong with an estate, each with its file and line."""
    try:
        estate = load.load(directory)
    except load.EstateError as error:
        if as_json:
            print_json({"estate": str(directory), "problems": [dataclasses.asdict(each) for each in error.problems]})
            raise typer.Exit(1) from None
        refuse(str(error))
    if as_json:
        print_json({"estate": str(directory), "problems": [], "warnings": warnings(estate)})
        return
    for warning in warnings(estate):
        errors.print(f"{directory}: warning: {warning}", markup=False, soft_wrap=True)
    people.print(f"{estate.name}: {_counted(estate)}; nothing is wrong", markup=False, soft_wrap=True)


def warnings(estate: Estate) -> list[str]:
    """What is not wrong, and is better said."""
    if not estate.host_types or any(each.shared_storage is not None for each in estate.host_types.values()):
        return []
    return [
        "no host type says shared_storage: every server's own disk counts as copied by a live migration, and large "
        "ones are not moved; write shared_storage: true where such disks stand on Ceph or NFS, else false"
    ]


@app.command()
def show(
    directory: DirectoryArgument = DEMO,
    name: Annotated[str | None, typer.Argument(help="One row of --table, by name.")] = None,
    table: Annotated[str | None, typer.Option(help="hosts, systems, feeds … instead of the summary.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show an estate: its totals by room, level and feed; with --table its rows; with a name one row."""
    if table is not None and table not in load.TABLES:
        raise typer.BadParameter(
            f"there is no table {table!r}; there are {', '.join(load.TABLES)}", param_hint="--table"
        )
    if name is not None and table is None:
        raise typer.BadParameter("a name needs --table", param_hint="NAME")
    estate = _loaded(directory)
    if table is None:
        totals = summing.summary(estate)
        if as_json:
            print_json(dataclasses.asdict(totals))
        else:
            people.print(*estate_tables.summary(totals), sep="\n")
    else:
        _show_table(estate, table, name, as_json)


def _show_table(estate: Estate, table: str, name: str | None, as_json: bool) -> None:
    rows: list[Any] = list(getattr(estate, table).values())
    if name is not None:
        rows = [row for row in rows if row.name == name]
        if not rows:
            refuse(f"{table} has no {name!r} (see gdcc inventory show --table {table})")
    plain = [dump.whole_row(row) for row in rows]
    if as_json:
        print_json(plain if name is None else plain[0])
    elif name is None:
        people.print(estate_tables.rows(table, plain))
    else:
        people.print(estate_tables.one(plain[0]))


@app.command()
def generate(
    vms: Annotated[int, typer.Option(help="How many VMs its systems ask for in all.", min=1)],
    out: OutOption,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    loopback: Annotated[bool, typer.Option(help="Addresses on 127.x, where the twin can answer.")] = False,
) -> None:
    """Write an estate of any size: 12000, 30000, 60000, 100000 or any other number of VMs."""
    _refuse_unless_empty(out)
    estate = generating.estate(vms, seed, loopback=loopback)
    _write(dump.rows(estate), out)
    people.print(f"{out}: {_counted(estate)}", markup=False, soft_wrap=True)


@app.command()
def draft(
    cloud: Annotated[str, typer.Option(help="A cloud of clouds.yaml.")],
    out: OutOption,
) -> None:
    """Write what a living cloud shows of itself; what it cannot know is a gap that `check` lists."""
    from controller.bootstrap import once

    _refuse_unless_empty(out)
    with told():
        facts, catalog = once.catalog(cloud)
    write_draft(cloud, facts, catalog, out)


def write_draft(cloud: str, facts: CloudFacts, catalog: CatalogFacts, out: Path) -> None:
    """Writes what was read of the cloud, and says what of it could not be understood."""
    _write(drafting.tables(cloud_rows(cloud, facts, catalog)), out)
    for flaw in facts.flaws[:MOST_FLAWS]:
        errors.print(f"{cloud}: left out, for it could not be understood: {flaw}", markup=False)
    if len(facts.flaws) > MOST_FLAWS:
        errors.print(f"{cloud}: and {len(facts.flaws) - MOST_FLAWS} more", markup=False)
    people.print(f"{out}: written; {_still_to_do(out)}", markup=False, soft_wrap=True)


def _still_to_do(out: Path) -> str:
    try:
        load.load(out)
    except load.EstateError as error:
        return f"{len(error.problems)} gaps to fill or errors to correct, see gdcc inventory check {out}"
    return "nothing is left to fill in"


def cloud_rows(name: str, facts: CloudFacts, catalog: CatalogFacts) -> drafting.Cloud:
    """What was read of a cloud, in the inventory's words."""
    return drafting.Cloud(
        name=name,
        hosts=tuple(_host(provider) for provider in facts.providers),
        aggregates=tuple(
            drafting.CloudAggregate(
                name=each.name,
                hosts=tuple(each.hosts),
                availability_zone=each.availability_zone,
                metadata=each.metadata,
            )
            for each in facts.aggregates
        ),
        flavors=catalog.flavors,
        volume_types=catalog.volume_types,
        networks=catalog.networks,
        projects=tuple(project.name for project in facts.projects if project.enabled),
    )


def _host(provider: Provider) -> drafting.CloudHost:
    return drafting.CloudHost(
        name=provider.host,
        vcpus=_amount(provider.inventory.get("VCPU")),
        memory=_amount(provider.inventory.get("MEMORY_MB")),
        disk=_amount(provider.inventory.get("DISK_GB")),
        traits=provider.traits,
    )


def _amount(amount: Amount | None) -> drafting.Amount:
    if amount is None:
        return drafting.Amount()
    return drafting.Amount(total=amount.total, reserved=amount.reserved, ratio=amount.ratio)


def _loaded(directory: Path) -> Estate:
    try:
        return load.load(directory)
    except load.EstateError as error:
        refuse(str(error))


def _refuse_unless_empty(out: Path) -> None:
    try:
        empty = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    except OSError as error:
        refuse(f"{out}: cannot be written: {error.strerror} (check the path and its permissions)")
    if not empty:
        refuse(f"{out}: is not an empty directory (name a new one; nothing was written)")


def _write(tables: dict[str, list[dump.Row]], out: Path) -> None:
    try:
        dump.write_rows(tables, out, schema=schema.PATH.name)
        (out / schema.PATH.name).write_text(schema.text(), encoding="utf-8")
        (out / FOR_ANSIBLE).write_text("---\n# The hosts of this estate for Ansible.\nplugin: gdcc\n", encoding="utf-8")
    except OSError as error:
        refuse(f"{error.filename or out}: cannot be written: {error.strerror} (check the path and its permissions)")


def _counted(estate: Estate) -> str:
    vms = sum(vm_set.count for system in estate.systems.values() for vm_set in system.vm_sets)
    counts = f"{len(estate.hosts):,} hosts in {len(estate.racks):,} racks on {len(estate.feeds):,} feeds"
    return f"{counts}, {vms:,} VMs of {len(estate.systems):,} systems and {len(estate.agencies):,} agencies"
