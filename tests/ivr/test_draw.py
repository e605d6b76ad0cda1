"""A drawing shows every node once, every way once, and nothing on top of anything else."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engine.dialogue.graph import Flow
from engine.ivr.draw import to_mermaid, to_svg
from engine.ivr.files import load_flow
from engine.ivr.layout import lay_out, steps_of
from engine.ivr.menu_import import import_menu
from engine.ivr.parse import parse_flow

ROOT = Path(__file__).resolve().parents[2]


def flow_called(name: str) -> Flow:
    if name == "imported":
        menu = (ROOT / "examples/bank/menu.csv").read_text(encoding="utf-8")
        return parse_flow(import_menu(menu, "menu.csv", ["en", "ru", "zh"]), "imported.yaml", str)
    return load_flow(ROOT / name)


@pytest.fixture(scope="module", params=["examples/bank/flow.yaml", "tests/ivr/sound.yaml", "imported"])
def flow(request: pytest.FixtureRequest) -> Flow:
    return flow_called(request.param)


def test_every_node_has_a_spot_of_its_own(flow: Flow) -> None:
    spots = list(lay_out(flow).spots.items())

    assert {node for node, _ in spots} == set(flow.nodes)
    for place, (_, spot) in enumerate(spots):
        assert all(other.column != spot.column or abs(other.row - spot.row) >= 1 for _, other in spots[:place])


def test_every_way_is_a_line_or_a_tag(flow: Flow) -> None:
    layout = lay_out(flow)
    tags = [step for steps in layout.tags.values() for step in steps]

    ways = [step for node in flow.nodes.values() for step in steps_of(node)]
    assert sorted(map(repr, [*layout.lines, *tags])) == sorted(map(repr, ways))


def test_lines_lead_to_the_next_column(flow: Flow) -> None:
    layout = lay_out(flow)

    assert all(layout.spots[line.target].column == layout.spots[line.source].column + 1 for line in layout.lines)


def test_the_picture_is_sound_xml_with_a_box_for_each_node(flow: Flow) -> None:
    picture = ET.fromstring(to_svg(flow))  # our own text, not a stranger's

    boxes = picture.findall("{http://www.w3.org/2000/svg}g")
    assert len(boxes) == len(flow.nodes)


def test_nothing_lies_outside_the_picture(flow: Flow) -> None:
    picture = ET.fromstring(to_svg(flow))
    width, height = (float(picture.attrib[it]) for it in ("width", "height"))

    for box in picture.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(box.get("x", 0)) + float(box.get("width", 0)) <= width
        assert float(box.get("y", 0)) + float(box.get("height", 0)) <= height


def test_mermaid_has_every_node_and_every_way(flow: Flow) -> None:
    chart = to_mermaid(flow)

    assert chart.startswith("flowchart LR\n")
    assert len(re.findall(r":::kind_\w+$", chart, re.MULTILINE)) == len(flow.nodes)
    assert chart.count(" --> ") + chart.count(" -->|") == sum(1 for node in flow.nodes.values() for _ in steps_of(node))


def test_what_means_something_to_the_picture_is_escaped() -> None:
    text = """
flow: odd
languages: [en]
start: main
operator: people
nodes:
  main: {type: menu, prompt: '<b> & "Hello"', choices: {"#": people}}
  people: {type: transfer, title: 'a "real" <human> #1', destination: desk}
"""
    flow = parse_flow(text, "odd.yaml", str)

    assert ET.fromstring(to_svg(flow)) is not None
    assert 'n_people>"a #quot;real#quot; &lt;human&gt; #35;1"]' in to_mermaid(flow)


@pytest.mark.parametrize(("title", "shown"), [("a" * 27, "a" * 27), ("a" * 28, "a" * 26 + "…"), ("卡" * 14, "卡" * 13 + "…")])
def test_long_titles_are_cut_to_the_width_of_their_box(title: str, shown: str) -> None:
    text = f"""
flow: odd
languages: [en]
start: main
operator: people
nodes:
  main: {{type: menu, prompt: Hello., choices: {{1: people}}}}
  people: {{type: transfer, title: {title}, destination: desk}}
"""
    texts = [it.text for it in ET.fromstring(to_svg(parse_flow(text, "odd.yaml", str))).iter("{http://www.w3.org/2000/svg}text")]

    assert shown in texts
