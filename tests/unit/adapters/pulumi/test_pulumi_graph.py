"""The picture of a stack: a tree as text, boxes in columns as SVG."""

import json
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

from controller.adapters.pulumi import graph, svg

STATE = json.loads((Path(__file__).with_name("recorded") / "state.json").read_text())
SVG = "{http://www.w3.org/2000/svg}"


def box(name, *needs):
    return graph.Box(urn=name, title=name, rows=(), needs=needs)


def test_the_tree_says_what_each_resource_needs_and_leaves_default_providers_out():
    text = graph.text(graph.nodes(STATE["deployment"]["resources"]))
    assert text.splitlines()[:2] == ["Stack gdcc-foundation", "└─ Project e4sys"]
    assert "   ├─ FlavorAccess e4sys-fa  ← Flavor e4sys-flavor, Project e4sys" in text.splitlines()
    assert "default_5_5_3" not in text


def test_a_component_is_a_box_with_its_children():
    (one,) = graph.boxes(graph.nodes(STATE["deployment"]["resources"]))
    assert one.title == "Project e4sys"
    assert len(one.rows) == 12


def test_another_stack_is_a_box_of_its_own_and_its_reader_stands_right_of_it():
    reference = {"urn": "urn:pulumi:a::gdcc::pulumi:pulumi:StackReference::organization/gdcc/foundation"}
    rows = [
        {**reference, "type": "pulumi:pulumi:StackReference", "parent": "stack"},
        {"urn": "u::c", "type": "gdcc:agency:Access", "parent": "stack"},
        {"urn": "u::f", "type": "t:F", "parent": "u::c", "dependencies": [reference["urn"]]},
    ]
    left, right = graph.layers(graph.boxes(graph.nodes(rows)))
    assert [each.title for each in left] == ["stack foundation"]
    assert [each.title for each in right] == ["Access c"]


def test_a_login_that_the_program_names_is_something_its_users_need():
    rows = [
        {"urn": "u::pulumi:providers:openstack::deployer", "type": "pulumi:providers:openstack", "parent": "c"},
        {"urn": "u::x", "type": "t:X", "parent": "d", "provider": "u::pulumi:providers:openstack::deployer::id"},
    ]
    assert graph.nodes(rows)[1].needs == ("u::pulumi:providers:openstack::deployer",)


def test_a_circle_of_components_still_gets_columns():
    columns = graph.layers([box("a", "b"), box("b", "a"), box("c", "a")])
    assert sorted(each.urn for column in columns for each in column) == ["a", "b", "c"]


def test_the_drawing_is_well_formed_and_its_boxes_do_not_overlap():
    boxes = [box("a & <b>"), box("b", "a & <b>"), box("c", "a & <b>"), box("d", "b", "c")]
    root = ET.fromstring(svg.drawing("stack x", boxes))
    frames = [each.attrib for each in root.iter(f"{SVG}rect") if each.get("class") == "box"]
    assert len(frames) == 4
    by_column = {}
    for each in frames:
        by_column.setdefault(float(each["x"]), []).append((float(each["y"]), float(each["height"])))
    assert [len(by_column[x]) for x in sorted(by_column)] == [1, 2, 1]
    for column in by_column.values():
        for (y, height), (below, _) in pairwise(sorted(column)):
            assert y + height <= below
    assert len(list(root.iter(f"{SVG}path"))) == 4 + 1


def test_an_empty_stack_has_an_empty_drawing():
    assert ET.fromstring(svg.drawing("stack x", [])).tag == f"{SVG}svg"
