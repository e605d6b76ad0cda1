"""Verbs whose files are imported when they are asked for: whoever runs one does not wait for the libraries of the others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class Verbs(TyperGroup):
    """A group of them. A subclass says which."""

    modules: ClassVar[Mapping[str, str]] = {}
    """By the verb's name; the module holds ``app``, or else a function of the verb's name."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- click's signature
        """Give their names, in the order in which they are told."""
        return list(self.modules)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- click's signature
        """Import one, or ``None`` where there is none of this name."""
        if cmd_name not in self.modules:
            return None
        module = import_module(self.modules[cmd_name])
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(add_completion=False)
            app.command(cmd_name)(getattr(module, cmd_name))
        verb = typer.main.get_command(app)
        verb.name = cmd_name
        return verb
