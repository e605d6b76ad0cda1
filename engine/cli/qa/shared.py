"""What the verbs on the ledger share: the settings, which need no file, and the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from engine.config import Config, QualitySection, load_config
from engine.store.database import connect, upgrade

DEFAULT = Path("engine.toml")
ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file; without one, everything is under var/.")]


def settings(config: Path) -> Config:
    """The settings; the defaults where the default file is not there.

    Raises:
        ConfigError: the file is wrong, or one that was named is not there.
    """
    if config == DEFAULT and not config.exists():
        return Config(qa=QualitySection())
    return load_config(config)


def database(config: Config) -> Engine:
    """The database at the present schema.

    Raises:
        ConfigError: it can't be reached or written.
    """
    engine = connect(config.store.database)
    upgrade(engine)
    return engine
