"""YAML read as a tree of plain values that remembers the line of each.

Every scalar stays the text that was written: ``no`` is a language, ``0`` a key and ``0070`` a code, not a boolean and two numbers
(YAML 1.1 would have it otherwise); the schema makes the numbers. A plain ``null``, ``~`` or nothing is ``None``.
Anchors, aliases and ``<<`` merges work; a key written twice, a tag, a second document and a tree that blows up are problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from engine.written.problems import Problem, WrittenErrors

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

_MOST_VALUES = 200_000  # far above any file people write; an alias that holds aliases that hold aliases reaches it at once
_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_PLAIN_TAGS = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Tree:
    """A YAML file's values, and where each was written."""

    value: Value

    places: dict[Path, Place]
    """Line and column, counted from 1, by path; of an entry, the place of its key."""

    def place(self, path: Sequence[str | int]) -> Place:
        """Where ``path`` is, or the deepest part of it that was written; steps that lead nowhere are skipped."""
        here: Path = ()
        for step in path:
            for there in ((*here, step), (*here, str(step))):
                if there in self.places:
                    here = there
                    break
        return self.places.get(here, (1, 1))


@dataclass(slots=True)
class _Reading:
    """One walk over the composed nodes."""

    file: str
    errors: type[WrittenErrors]
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0

    def value(self, node: yaml.Node, path: Path, above: tuple[yaml.Node, ...] = ()) -> Value:
        self.values += 1
        self.places.setdefault(path, _place(node))
        if self.values > _MOST_VALUES:
            raise self.errors([self._problem(node, path, f"at most {_MOST_VALUES} values", "aliases that unfold to more")])
        if any(node is one for one in above):
            self.problems.append(
                self._problem(node, path, "an alias of something written before it", "an alias inside what it names")
            )
            return None
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path, (*above, node))
            case yaml.SequenceNode():
                return [self.value(item, (*path, place), (*above, node)) for place, item in enumerate(node.value)]
            case yaml.ScalarNode():
                return self._scalar(node, path)
        raise AssertionError(f"a composed tree has three kinds of nodes, this is a {type(node).__name__}")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Value:
        if not node.tag.startswith(_PLAIN_TAGS):
            self.problems.append(self._problem(node, path, "a plain value", f"the tag {node.tag}"))
        return None if node.tag == _NULL and node.style is None else str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path, above: tuple[yaml.Node, ...]) -> Value:
        result: dict[str, Value] = {}
        first: dict[str, int] = {}
        for key, item in node.value:
            if key.tag == _MERGE:
                continue
            name = self._key(key, path)
            if name in first:
                self.problems.append(self._twice(key, path, first[name]))
                continue
            first[name] = key.start_mark.line + 1
            self.places[*path, name] = _place(key)
            result[name] = self.value(item, (*path, name), above)
        return self._merged(node, path, above) | result

    def _merged(self, node: yaml.MappingNode, path: Path, above: tuple[yaml.Node, ...]) -> dict[str, Value]:
        merged: dict[str, Value] = {}
        for source in _merge_sources(node):
            value = self.value(source, path, above)
            if isinstance(value, dict):
                merged = value | merged
            else:
                self.problems.append(self._problem(source, path, "a mapping to merge after <<", "something else"))
        return merged

    def _key(self, key: yaml.Node, path: Path) -> str:
        if isinstance(key, yaml.ScalarNode):
            return str(key.value)
        self.problems.append(self._problem(key, path, "a word as a key", "a list or a mapping; braces or brackets want quotes"))
        return ""

    def _twice(self, key: yaml.Node, path: Path, first: int) -> Problem:
        return self._problem(key, (*path, str(key.value)), "each key once", f"{key.value!r} again, first in line {first}")

    def _problem(self, node: yaml.Node, path: Path, expected: str, found: str) -> Problem:
        return Problem(*_place(node), dotted(path), expected, found, file=self.file)


def read_tree(text: str, file: str, errors: type[WrittenErrors]) -> Tree:
    """Read one YAML document.

    Raises:
        WrittenErrors: as ``errors``: it is not YAML, or holds what the module's rules forbid.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise errors([_syntax(error, file)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise errors([Problem(line, 1, "", "printable text", f"the character #x{error.character:04x}", file=file)]) from error
    except RecursionError as error:
        raise errors([Problem(1, 1, "", "at most a few levels", "brackets nested too deeply", file=file)]) from error
    if root is None:
        raise errors([Problem(1, 1, "", errors.subject, "an empty file", file=file)])
    reading = _Reading(file, errors)
    value = reading.value(root, ())
    if reading.problems:
        raise errors(reading.problems)
    return Tree(value, reading.places)


def dotted(path: Sequence[str | int]) -> str:
    """A path as people read it: ``nodes.main.prompt.ru``."""
    return ".".join(str(step) for step in path if step != "")


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _merge_sources(node: yaml.MappingNode) -> Iterator[yaml.Node]:
    for key, item in node.value:
        if key.tag == _MERGE:
            yield from item.value if isinstance(item, yaml.SequenceNode) else (item,)


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = (error.problem or "something else").replace("but got ", "but found ")
    expected, _, found = said.rpartition("but found ")
    within = f" ({error.context})" if error.context else ""
    expected = expected.strip(" ,").removeprefix("expected ") or "YAML"
    return Problem(line, column, "", expected, found.removeprefix("found ") + within, _syntax_hint(said), file)


def _syntax_hint(said: str) -> str:
    if "\\t" in said:
        return "indent with spaces, never with tabs"
    if "'?'" in said or "mapping values" in said or "expected ',' or" in said:
        return "put a text that holds punctuation in quotes"
    return ""
