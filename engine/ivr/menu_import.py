"""``flow import``: an existing key-press menu becomes a flow in which every entry can be jumped to by saying its name.

The keys stay what they were. Titles and spoken names are made of the labels; a designer adds examples where names don't do.
What an entry leads to is written as its target:

* ``transfer:QUEUE`` hands the call over, ``end`` hangs up, ``say:TEXT`` says something and goes back to the first menu;
* ``goto:1>3`` leads to another entry, ``goto:top`` to the first menu;
* nothing, for an entry that is a menu of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.ivr.defaults import ImportWords, defaults
from engine.ivr.labels import as_said, other_names, slug, title_of
from engine.ivr.menu_rows import Keys, MenuReader, Row
from engine.ivr.problems import FlowErrors, did_you_mean, listed

_TARGETS = ("transfer:", "say:", "goto:", "end")
_TOP: Keys = ()
_KEY_NAMES = {"*": "star", "#": "hash"}


def import_menu(text: str, name: str, languages: Sequence[str]) -> str:
    """Write the flow file of a menu given as CSV or as indented text (see ``engine.ivr.menu_rows``).

    ``name`` is what to call the menu, in messages and in the flow.

    Raises:
        FlowErrors: with the line of everything that can't be used.
    """
    unknown = [language for language in languages if language not in defaults().import_["menu"]]
    reader = MenuReader(name, languages)
    if unknown or not languages:
        reader.wrong(1, f"languages out of {listed(defaults().import_['menu'])}", ", ".join(unknown) or "none")
        raise FlowErrors(reader.problems)
    menu = _Menu(reader, {row.keys: row for row in reversed(reader.rows(text))})
    menu.check(reader.rows(text))
    return _Writer(menu, tuple(languages)).text(name)


@dataclass(slots=True)
class _Menu:
    """The rows as a tree of keys."""

    reader: MenuReader
    rows: dict[Keys, Row]

    def check(self, written: Sequence[Row]) -> None:
        """Raise every mistake that only shows in the whole menu."""
        for row in written:
            self._check_place(row)
            self._check_target(row)
        if self.reader.problems:
            raise FlowErrors(self.reader.problems)

    def below(self, keys: Keys) -> Sequence[Row]:
        """The entries of the menu at ``keys``, in the order of the file."""
        rows = [row for row in self.rows.values() if row.keys and row.keys[:-1] == keys]
        return sorted(rows, key=lambda row: row.line)

    def landing(self, keys: Keys) -> Keys:
        """Where pressing ``keys`` ends up once every ``goto`` is followed."""
        seen = {keys}
        while (onward := _goto(self.rows[keys].target if keys in self.rows else "")) is not None:
            if onward in seen:
                return keys
            seen.add(onward)
            keys = onward
        return keys

    def _check_place(self, row: Row) -> None:
        shown = ">".join(row.keys)
        if self.rows[row.keys] is not row and self.rows[row.keys].line != row.line:
            self.reader.wrong(row.line, "each key once in a menu", f"{shown} again, first in line {self.rows[row.keys].line}")
        if len(row.keys) > 1 and row.keys[:-1] not in self.rows:
            self.reader.wrong(row.line, f"an entry for {'>'.join(row.keys[:-1])}, which {shown} lies in", "none")

    def _check_target(self, row: Row) -> None:
        kind, colon, rest = row.target.partition(":")
        is_menu = bool(self.below(row.keys))
        if is_menu and row.target:
            self.reader.wrong(row.line, "no target, for this entry is a menu", repr(row.target))
        elif not is_menu and not row.target:
            self.reader.wrong(row.line, f"a target ({listed(_TARGETS)}) or entries below", "neither")
        elif row.target and kind + colon not in _TARGETS:
            self.reader.wrong(row.line, f"a target: {listed(_TARGETS)}", repr(row.target), did_you_mean(kind + colon, _TARGETS))
        elif colon and not rest.strip():
            self.reader.wrong(row.line, f"something after {kind}:", "nothing")
        elif kind == "say" and len(_texts(rest)) != len(self.reader.languages):
            self.reader.wrong(
                row.line, f"a text for each of {', '.join(self.reader.languages)}, with | between", str(len(_texts(rest)))
            )
        elif kind == "goto":
            self._check_goto(row)

    def _check_goto(self, row: Row) -> None:
        aim = _goto(row.target)
        if aim != _TOP and aim not in self.rows:
            self.reader.wrong(row.line, "the keys of an entry, or top", repr(row.target.partition(":")[2]))
        elif aim is not None and _goto(self.rows[aim].target if aim in self.rows else "") is not None:
            self.reader.wrong(row.line, "an entry that does something itself", f"{row.target!r}, which only leads on")


@dataclass(slots=True)
class _Writer:
    """Writes the flow of a menu that was checked."""

    menu: _Menu
    languages: tuple[str, ...]
    titles: dict[Keys, Sequence[str]] = field(default_factory=dict)
    ids: dict[Keys, str] = field(default_factory=dict)
    operator: Keys | None = None
    _uses: Sequence[Counter[str]] = ()

    def text(self, name: str) -> str:
        self._find_operator()
        self._name_entries()
        self._uses = list(self._count_names())
        nodes = dict(self._nodes())
        if self.operator is None:
            nodes["operator"] = self._operator_node()
        operator = "operator" if self.operator is None else self.ids[self.operator]
        head = {"flow": slug(name.rpartition("/")[2].partition(".")[0]) or "imported", "languages": [*self.languages]}
        head |= {"start": self.ids[_TOP], "operator": operator}
        parts = [
            f"# Imported from {name}: the keys are as they were, and every entry can be said by its name.\n" + _dump(head),
            "nodes:\n",
        ]
        return "\n".join(parts) + "\n".join(_indented(_dump({id: node})) for id, node in nodes.items())

    def _find_operator(self) -> None:
        """The entry that hands over to people: called like them, or to a queue of theirs."""
        transfers = [row for row in self._entries() if row.target.startswith("transfer:")]
        forms = {it.casefold() for language in self.languages for it in defaults().globals.operator[language]}
        called = [row for row in transfers if any(label.casefold() in forms for label in row.labels)]
        queued = [row for row in transfers if row.target.split(":")[1].strip() in {"operator", "operators"}]
        self.operator = next((row.keys for row in [*called, *queued]), None)

    def _entries(self) -> Sequence[Row]:
        """The entries that become nodes: one for all that are called the same and lead to the same."""
        first: dict[tuple[str, ...], Row] = {}
        for row in sorted(self.menu.rows.values(), key=lambda row: row.line):
            if _goto(row.target) is None and row.keys:
                first.setdefault((*row.labels, row.target or ">".join(row.keys)), row)
        return list(first.values())

    def _name_entries(self) -> None:
        top = self.menu.rows.get(_TOP)
        self.titles[_TOP] = (
            [title_of(it) for it in top.labels] if top else [self._words("root_title")[it] for it in self.languages]
        )
        self.ids[_TOP] = "main"
        taken = {"main", "operator"} if self.operator is None else {"main"}
        for row in self._entries():
            id = slug(row.labels[0]) or "_".join(["key", *(_KEY_NAMES.get(key, key) for key in row.keys)])
            if id in taken:
                id = "_".join([id, *(_KEY_NAMES.get(key, key) for key in row.keys)])
            taken.add(id)
            self.ids[row.keys] = id
        self._tell_titles_apart()

    def _tell_titles_apart(self) -> None:
        """Entries of the same name in different menus are called with their menu: "Cards: other questions"."""
        plain = {row.keys: [title_of(label) for label in row.labels] for row in self._entries()}
        uses = Counter((place, as_said(title)) for titles in plain.values() for place, title in enumerate(titles))
        reserved = {(place, as_said(form)) for place, language in enumerate(self.languages) for form in self._reserved(language)}
        for keys, titles in plain.items():
            clear = all(uses[place, as_said(it)] == 1 and (place, as_said(it)) not in reserved for place, it in enumerate(titles))
            above = [self.titles.get(keys[:-1], titles), titles]
            own = clear or keys == self.operator
            self.titles[keys] = titles if own else [": ".join(pair) for pair in zip(*above, strict=True)]
        self._refuse_equal_titles()

    def _refuse_equal_titles(self) -> None:
        first: dict[tuple[int, str], int] = {}
        for row in self._entries():
            for place, title in enumerate(self.titles[row.keys]):
                if (line := first.setdefault((place, as_said(title)), row.line)) != row.line:
                    self.menu.reader.wrong(
                        row.line, "a label that nothing else in this menu has", f"{title!r}, as in line {line}"
                    )
        if self.menu.reader.problems:
            raise FlowErrors(self.menu.reader.problems)

    def _reserved(self, language: str) -> Iterator[str]:
        for name in ("help", "repeat", "back", "main_menu", "operator"):
            yield from getattr(defaults().globals, name)[language]

    def _nodes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "main", self._menu_node(_TOP, None)
        for row in self._entries():
            yield self.ids[row.keys], self._node(row)

    def _node(self, row: Row) -> dict[str, Any]:
        kind, _, rest = row.target.partition(":")
        match kind:
            case "transfer":
                return self._named(row, "transfer") | {"prompt": self._phrase("transfer", row.keys), "destination": rest.strip()}
            case "end":
                return self._named(row, "end") | {"prompt": self._phrase("end", row.keys)}
            case "say":
                prompt = dict(zip(self.languages, _texts(rest), strict=True))
                return self._named(row, "say") | {"prompt": prompt, "then": "main"}
        return self._menu_node(row.keys, row)

    def _menu_node(self, keys: Keys, row: Row | None) -> dict[str, Any]:
        title = dict(zip(self.languages, self.titles[keys], strict=True))
        head = self._named(row, "menu") if row else {"type": "menu", "title": title, "by_voice": False}
        choices = {entry.keys[-1]: self._id_at(entry.keys) for entry in self.menu.below(keys)}
        also: list[str] = []
        if keys == _TOP and self.operator is None and choices.setdefault("0", "operator") != "operator":
            also = ["operator"]
        prompt = self._phrase("menu", keys) if row else self._words("greeting")
        return (
            head
            | {"prompt": prompt, "reprompts": [self._words("reprompt")], "choices": choices}
            | ({"also": also} if also else {})
        )

    def _id_at(self, keys: Keys) -> str:
        landing = self.menu.landing(keys)
        if landing in self.ids:
            return self.ids[landing]
        row = self.menu.rows[landing]
        return next(self.ids[it.keys] for it in self._entries() if (it.labels, it.target) == (row.labels, row.target))

    def _operator_node(self) -> dict[str, Any]:
        return {"type": "transfer", "title": self._words("operator_title"), "destination": "operator"}

    def _named(self, row: Row, kind: str) -> dict[str, Any]:
        title = dict(zip(self.languages, self.titles[row.keys], strict=True))
        synonyms = {language: names for place, language in enumerate(self.languages) if (names := self._synonyms(row, place))}
        return {"type": kind, "title": title} | ({"synonyms": synonyms} if synonyms else {})

    def _synonyms(self, row: Row, place: int) -> list[str]:
        """Parts of the label that nothing else is called."""
        return [it for it in other_names(row.labels[place]) if self._uses[place][as_said(it)] == 1]

    def _count_names(self) -> Iterator[Counter[str]]:
        """How many entries could be called each name, by language; what is taken already counts as many."""
        for place, language in enumerate(self.languages):
            uses = Counter(as_said(it) for row in self._entries() for it in other_names(row.labels[place]))
            uses.update({as_said(it): 2 for it in self._reserved(language)})
            uses.update(as_said(title_of(row.labels[place])) for row in self._entries())
            uses.update({as_said(titles[place]): 2 for titles in self.titles.values()})
            yield uses

    def _phrase(self, words: ImportWords, keys: Keys) -> dict[str, str]:
        texts = self._words(words)
        return {it: _capital(texts[it].format(title=title)) for it, title in zip(self.languages, self.titles[keys], strict=True)}

    def _words(self, words: ImportWords) -> Mapping[str, str]:
        texts = defaults().import_[words]
        return {language: texts[language] for language in self.languages}


def _goto(target: str) -> Keys | None:
    kind, _, aim = target.partition(":")
    if kind != "goto":
        return None
    return _TOP if aim.strip() == "top" else tuple(key.strip() for key in aim.split(">"))


def _texts(rest: str) -> list[str]:
    return [text.strip() for text in rest.split("|") if text.strip()]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _dump(value: Mapping[str, Any]) -> str:
    return str(yaml.dump(dict(value), Dumper=_Plain, allow_unicode=True, sort_keys=False, width=120))


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


class _Plain(yaml.SafeDumper):
    """Writes the same value twice rather than an anchor: a designer will change one of the two."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
