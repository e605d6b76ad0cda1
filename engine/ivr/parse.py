"""From the text of a flow file to a graph, or to everything that is wrong with it.

Nothing is read here but what the caller hands in: the file's text, and ``read_text`` for the files of examples that it names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.dialogue.graph import Flow
from engine.ivr.checks import find_problems
from engine.ivr.compiler import compile_flow
from engine.ivr.draft import Draft, Sentence
from engine.ivr.problems import FlowErrors, Problem, did_you_mean, listed
from engine.ivr.schema import NODE_PARTS, FlowPart, keys_allowed_at, shown
from engine.written.yaml_tree import Path, Tree, dotted, read_tree

ReadText = Callable[[str], str]
"""Reads a file that the flow names, by the name it is given there; raises ``OSError`` or ``UnicodeDecodeError``."""


def parse_flow(text: str, name: str, read_text: ReadText) -> Flow:
    """Check a flow file and compile it. ``name`` is what to call the file in messages.

    Raises:
        FlowErrors: it can't be used; all problems at once.
    """
    draft = read_draft(text, name, read_text)
    if problems := find_problems(draft):
        raise FlowErrors(problems)
    return compile_flow(draft, text)


def read_draft(text: str, name: str, read_text: ReadText) -> Draft:
    """Read a flow file and the examples it names, without looking at it as a whole.

    Raises:
        FlowErrors: it is not YAML, a value is of the wrong kind, or a file of examples can't be used.
    """
    tree = read_tree(text, name, FlowErrors)
    if not isinstance(tree.value, dict):
        raise FlowErrors(
            [Problem(*tree.place(()), "", "a mapping with the keys flow, languages, start ...", shown(tree.value), file=name)]
        )
    try:
        part = FlowPart.model_validate(tree.value)
    except ValidationError as error:
        raise FlowErrors(_problem(it, tree, name) for it in error.errors(include_url=False)) from error
    sentences, problems = _Sentences(Draft(part, tree, name), read_text).all()
    if problems:
        raise FlowErrors(problems)
    return Draft(part, tree, name, sentences)


class _Sentences:
    """The examples of a flow, wherever they are written."""

    def __init__(self, draft: Draft, read_text: ReadText) -> None:
        self._draft = draft
        self._read_text = read_text
        self._problems: list[Problem] = []

    def all(self) -> tuple[Sequence[Sentence], Sequence[Problem]]:
        """Every sentence in a language of the flow, and what is wrong with the files."""
        part = self._draft.part
        found = [*self._labelled(part.examples, ("examples",))] if part.examples else []
        for intent, settings in part.intents.items():
            path: Path = ("intents", intent, "examples")
            for place, text in enumerate(settings.examples.sentences):
                line = self._draft.tree.place((*path, place))[0]
                found.append(Sentence(text, intent, "", self._draft.file, line, (*path, place)))
            if settings.examples.file:
                found += self._of_one_intent(settings.examples.file, path, intent)
        wanted = {"", *self._draft.languages}
        return [it for it in found if it.language in wanted], self._problems

    def _of_one_intent(self, file: str, path: Path, intent: str) -> Iterator[Sentence]:
        if file.endswith(".jsonl"):
            yield from (sentence for sentence in self._labelled(file, path) if sentence.intent == intent)
            return
        for number, line in self._lines(file, path):
            yield Sentence(line.strip(), intent, "", file, number)

    def _labelled(self, file: str, path: Path) -> Iterator[Sentence]:
        for number, line in self._lines(file, path):
            match _json_or_none(line):
                case {"text": str(text), "intent": str(intent), **rest} if text.strip():
                    yield Sentence(text, intent, str(rest.get("lang", "")), file, number)
                case _:
                    expected = 'a JSON object such as {"text": "my card is gone", "intent": "lost_card", "lang": "en"}'
                    self._problems.append(Problem(number, 1, "", expected, shown(line), file=file))

    def _lines(self, file: str, path: Path) -> Iterator[tuple[int, str]]:
        try:
            text = self._read_text(file)
        except (OSError, UnicodeDecodeError) as error:
            self._problems.append(self._draft.problem(path, "a readable file of UTF-8 text", f"{file!r}: {_reason(error)}"))
            return
        yield from ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _json_or_none(line: str) -> object:
    """What the line holds; ``null`` isn't an example either."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "another encoding" if isinstance(error, UnicodeDecodeError) else error.strerror or type(error).__name__


def _problem(error: ErrorDetails, tree: Tree, name: str) -> Problem:
    """A finding of pydantic's in our own words."""
    loc = error["loc"]
    path = _written_path(loc, tree)
    expected, found, hint = _words(error)
    return Problem(*tree.place(path), dotted(path), expected, found, hint, name)


def _written_path(loc: Path, tree: Tree) -> Path:
    """The location without what only the schema has: a node's type, a prompt's ``texts``, the place in a list of one."""
    typed = len(loc) > 2 and loc[0] == "nodes" and loc[2] in NODE_PARTS
    steps = (*loc[:2], *loc[3:]) if typed else loc
    named = tuple(step for step in steps if step not in {"texts", "[key]"})
    return tuple(step for n, step in enumerate(named) if isinstance(step, str) or named[: n + 1] in tree.places)


def _words(error: ErrorDetails) -> tuple[str, str, str]:
    """What was expected, what was found, and a hint."""
    context = error.get("ctx", {})
    last = str(error["loc"][-1]) if error["loc"] else ""
    found = shown(error["input"])
    match error["type"]:
        case "flow":
            return context["expected"], context["found"], context["hint"]
        case "missing":
            return f"the key {last!r}", "none", ""
        case "extra_forbidden":
            known = keys_allowed_at(error["loc"][:-1])
            return f"one of the keys {listed(known)}" if known else "no such key", repr(last), did_you_mean(last, known)
        case "union_tag_invalid" | "union_tag_not_found":
            kind = str(context.get("tag", "none"))
            return f"a type: {listed(NODE_PARTS)}", repr(kind) if "tag" in context else "none", did_you_mean(kind, NODE_PARTS)
        case "literal_error" | "enum":
            options = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return f"one of {listed(options)}", found, did_you_mean(str(error["input"]), options)
    return _plain_words(error["type"], context, found)


def _plain_words(kind: str, context: dict[str, object], found: str) -> tuple[str, str, str]:
    match kind:
        case "string_pattern_mismatch" if "{2,3}" in str(context["pattern"]):
            return "a language as two or three small letters, such as en", found, ""
        case "string_pattern_mismatch":
            return "a name of small letters, digits and _, beginning with a letter", found, ""
        case "string_too_short":
            return "a text", "an empty one", ""
        case "too_short":
            return f"at least {context['min_length']} entry", "none", ""
        case "greater_than_equal" | "less_than_equal":
            limit = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
            return f"a number of {limit}", found, ""
    simple = {
        "float_parsing": "a number",
        "finite_number": "a number",
        "int_parsing": "a whole number",
        "bool_parsing": "true or false",
        "string_type": "a text",
        "list_type": "a list",
        "dict_type": "a mapping",
        "model_type": "a mapping",
        "model_attributes_type": "a mapping",
    }
    return simple.get(kind, kind.replace("_", " ")), found, ""
