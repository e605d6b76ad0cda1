"""What a door encrypts with, read from its files; where they can't be used, it is told which of them and why."""

from __future__ import annotations

import ssl
from pathlib import Path

from engine.config import WebDoor
from engine.config.doors import SignallingDoor
from engine.config.named_files import authorities_in, bytes_in, reason
from engine.core.errors import ConfigError


def tls_of(setting: str, door: WebDoor | SignallingDoor) -> ssl.SSLContext | None:
    """Load what a door encrypts with, and whose certificates it wants to see.

    Raises:
        ConfigError: a file can't be read, is not what it should be, or the key is another certificate's.
    """
    if door.tls_certificate is None or door.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(setting, context, door.tls_certificate, door.tls_key)
    if door.tls_clients is not None:
        with authorities_in(f"{setting}.tls_clients", door.tls_clients):
            context.load_verify_locations(door.tls_clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _show(setting: str, context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for name, file in (("tls_certificate", certificate), ("tls_key", key)):
        bytes_in(f"{setting}.{name}", file)
    try:
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:  # a ValueError: the key is encrypted
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            told = f"expected the key of the certificate in {certificate}, found another's in {key}"
            raise ConfigError(f"{setting}.tls_key: {told}") from error
        told = f"expected PEM files with a certificate and its key, without a password, in {certificate} and {key}"
        raise ConfigError(f"{setting}.tls_certificate: {told}, found: {reason(error)}") from error
