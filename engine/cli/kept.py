"""Keeps in the audit chain what is done by the command line: by the name the operating system knows whoever runs it by."""

from __future__ import annotations

import os
import pwd

from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.config import Config
from engine.store.accounts import Actor
from engine.store.audit import Fact, Told, Trail, read_key


def shell() -> Actor:
    """Who runs this."""
    return Actor(f"shell:{pwd.getpwuid(os.getuid()).pw_name}")


def keep(config: Config, database: Engine, what: Deed, subject: str, **details: Fact) -> None:
    """Keep it, in a database that is at the present schema. What is taken out of the house is kept before it is written."""
    Trail(database, read_key(config.access.audit_key_file)).keep(Told(shell().who, what, subject, details=details))
