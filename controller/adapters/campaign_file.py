"""Campaign files: YAML (JSON too) in, one order out, or every error with its file and line."""

from dataclasses import replace
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from controller.errors import InputError
from controller.model.campaign import CAMPAIGN_VERSION, Order
from controller.model.playbook import Scalar, Variable
from inventory import nodes, shapes
from inventory.model import Problem
from inventory.nodes import Document

_TAG = "tag:yaml.org,2002:"


def read(path: Path) -> Order:
    """The order in a file. Raises `InputError` with a line for each problem."""
    findings = nodes.Findings()
    document = nodes.document(path, findings)
    order = None if document is None else _order(document)
    told = [*findings.problems, *(_gap(path, gap.field) for gap in findings.gaps)]
    if order is None or told:
        raise InputError("\n".join(f"{each.where}: {each.what}" for each in told))
    return order


def _gap(path: Path, field: str) -> Problem:
    return Problem(where=f"{path}:1", what=f"campaign: {field} is left open (a campaign has no gaps)")


def _order(document: Document) -> Order | None:
    given = nodes.entries(document, document.root, "file")
    version = given.get("version")
    if version is None or not isinstance(version[1], ScalarNode) or version[1].value != str(CAMPAIGN_VERSION):
        said = "missing" if version is None else nodes.shown(version[1])
        where = document.root if version is None else version[0]
        document.problem(where, f"version is {said}, this program reads version {CAMPAIGN_VERSION} of campaigns")
        return None
    for key, (node, _) in given.items():
        if key not in {"version", "campaign"}:
            document.problem(node, shapes.unknown_key("file", key, ["version", "campaign"]))
    if "campaign" not in given:
        document.problem(document.root, "campaign is missing (write 'campaign:' and its fields below it)")
        return None
    return _read(document, given["campaign"][1])


def _read(document: Document, node: Node) -> Order | None:
    """The variables are read here, since they may be of any type that Ansible takes."""
    variables: dict[str, Variable] = {}
    for work in _values(node, "work"):
        for found in _values(work, "variables"):
            variables = _variables(document, found)
        if isinstance(work, MappingNode):
            work.value = [(key, value) for key, value in work.value if key.value != "variables"]
    order = shapes.row(document, node, Order, "campaign")
    if order is shapes.FAILED:
        return None
    held: Order = order
    return replace(held, work=replace(held.work, variables=variables))


def _values(node: Node, name: str) -> list[Node]:
    if not isinstance(node, MappingNode):
        return []
    return [value for key, value in node.value if isinstance(key, ScalarNode) and key.value == name]


def _variables(document: Document, node: Node) -> dict[str, Variable]:
    subject = "campaign: work: variables"
    if not isinstance(node, MappingNode):
        document.problem(node, f"{subject} must be a mapping, not {nodes.shown(node)}")
        return {}
    given = nodes.entries(document, node, subject)
    return {key: _variable(document, value, f"{subject} {key}") for key, (_, value) in given.items()}


def _variable(document: Document, node: Node, subject: str) -> Variable:
    if isinstance(node, SequenceNode):
        return tuple(_scalar(document, each, subject) for each in node.value)
    return _scalar(document, node, subject)


def _scalar(document: Document, node: Node, subject: str) -> Scalar:
    if isinstance(node, ScalarNode):
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return str(node.value)
        if kind == "null":
            return None
        if kind == "bool" and node.value in {"true", "false"}:
            return bool(node.value == "true")
        if kind in {"int", "float"}:
            return _number(document, node, subject, int if kind == "int" else float)
    document.problem(node, f"{subject} must be text, a number, true, false or a list of these, not {nodes.shown(node)}")
    return None


def _number(document: Document, node: ScalarNode, subject: str, kind: type[int] | type[float]) -> Scalar:
    try:
        return kind(node.value)
    except ValueError:
        document.problem(node, f"{subject} is {node.value}, which is no plain number (put it in quotes to mean text)")
        return None
