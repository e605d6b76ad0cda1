"""How a card writes its checks: ``exists absent count of`` what there is, ``fact people``, ``all any not`` of other checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.qa.checks import Absent, All, AtLeast, Check, Count, Either, Exists, Known, Negated, People
from engine.qa.expression_file import NARROWING, ExpressionReader
from engine.qa.expressions import Expression, is_ground
from engine.qa.reading import shown
from engine.written.problems import did_you_mean, listed
from engine.written.yaml_tree import Path, Value

CHECKS = ("exists", "absent", "count", "of", "all", "any", "not", "fact", "people")
LIMITS = ("at_least", "at_most")
NOTHING_ASKED = People("")


@dataclass(frozen=True)
class CheckReader:
    """Reads them."""

    expressions: ExpressionReader

    def read(self, value: Value, path: Path) -> Check:
        """A check, or one that asks nothing where it is wrong."""
        heads = [key for key in value if key in CHECKS] if isinstance(value, dict) else []
        if len(heads) != 1 or not isinstance(value, dict):
            found = f"{listed(heads)} together" if heads else shown(value)
            slips = value if isinstance(value, dict) else ()
            hint = next(filter(None, (did_you_mean(key, CHECKS) for key in slips)), "") if not heads else ""
            self.expressions.reading.wrong(path, f"a mapping with one of {listed(CHECKS)}", found, hint)
            return NOTHING_ASKED
        (head,) = heads
        if head in {"exists", "absent", "count"}:
            return self._spans(head, value, path)
        if head == "of":
            return self._of(value, path)
        self.expressions.reading.mapping(value, path, (head,))
        return self._alone(head, value[head], (*path, head))

    def _alone(self, head: str, value: Value, path: Path) -> Check:
        """A check that nothing stands beside."""
        reading = self.expressions.reading
        match head:
            case "not":
                return Negated(self.read(value, path))
            case "fact":
                return self._fact(value, path)
            case "people":
                return People(reading.text(value, path))
        parts = [self.read(it, (*path, n)) for n, it in enumerate(reading.items(value, path, "checks"))]
        return All(parts) if head == "all" else Either(parts)

    def _fact(self, value: Value, path: Path) -> Check:
        reading = self.expressions.reading
        if not isinstance(value, dict) or not value:
            reading.wrong(path, "names of facts and their values, such as direction: outbound", shown(value))
            return NOTHING_ASKED
        return Known({reading.name(name, (*path, name)): self._values(it, (*path, name)) for name, it in value.items()})

    def _values(self, value: Value, path: Path) -> Sequence[str]:
        reading = self.expressions.reading
        if isinstance(value, str):
            return [reading.text(value, path)]
        return [reading.text(it, (*path, n)) for n, it in enumerate(reading.items(value, path, "values"))]

    def _of(self, value: Mapping[str, Value], path: Path) -> Check:
        reading = self.expressions.reading
        keys = reading.mapping(dict(value), path, ("at_least", "of", *NARROWING), ("at_least", "of"))
        number = reading.count(keys["at_least"], (*path, "at_least")) if "at_least" in keys else 1
        items = reading.items(value["of"], (*path, "of"), "terms")
        if items and number > len(items):
            reading.wrong((*path, "at_least"), f"no more than the {len(items)} there are", shown(value["at_least"]))
        wanted = [self.expressions.read(it, (*path, "of", n)) for n, it in enumerate(items)]
        return AtLeast(number, [Exists(self.expressions.narrowed(it, value, path)) for it in wanted])

    def _spans(self, head: str, value: Mapping[str, Value], path: Path) -> Check:
        """A check of what there is; what narrows an expression may stand beside it."""
        reading = self.expressions.reading
        reading.mapping(dict(value), path, (head, *(LIMITS if head == "count" else ()), *NARROWING))
        part = self.expressions.read(value[head], (*path, head))
        wanted = self.expressions.narrowed(part, value, path)
        match head:
            case "exists":
                return Exists(wanted)
            case "absent":
                return Absent(wanted)
        if is_ground(wanted):
            reading.wrong(
                (*path, head), "things that are said or happen, to be counted", "stretches of the call (both, not, window)"
            )
        return self._count(wanted, value, path)

    def _count(self, wanted: Expression, value: Mapping[str, Value], path: Path) -> Count:
        reading = self.expressions.reading
        given = {it: reading.count(value[it], (*path, it), 0) for it in LIMITS if it in value}
        if not given:
            reading.wrong(path, "at_least or at_most beside count", "neither")
        if given.get("at_least", 0) > given.get("at_most", float("inf")):
            reading.wrong(path, "at_least no more than at_most", f"{given['at_least']} and {given['at_most']}")
        return Count(wanted, given.get("at_least", 0), given.get("at_most", float("inf")))
