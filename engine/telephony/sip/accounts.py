"""How baresip is set up: its configuration, one account for each transport, one for each trunk."""

from __future__ import annotations

import os
import re
import socket
from ipaddress import ip_address
from typing import Final, Literal, TypeAlias, cast

from baresip import Account, Config

from engine.core.errors import ConfigError
from engine.telephony.sip.settings import FLOW_HEADER, SipSettings, Srtp, Trunk

_Transport: TypeAlias = Literal["udp", "tcp", "tls"]
HEADERS: Final = ("To", "P-Asserted-Identity", "Diversion", FLOW_HEADER)  # of an INVITE, that the engine is told
_CODECS: Final = {"pcma": "pcma/8000/1", "pcmu": "pcmu/8000/1", "g722": "g722/16000/1"}
_MEDIA_ENCRYPTION: Final = {Srtp.OFF: (), Srtp.OPTIONAL: ("mediaenc=srtp",), Srtp.REQUIRED: ("mediaenc=srtp-mand",)}
_RING: Final = 180  # seconds; the engine's own limit is shorter


def config(settings: SipSettings, port: int) -> Config:
    """Everything but the accounts."""
    lines = [
        f"sip_listen {_literal(settings.host)}:{port}",
        f"sip_transports {','.join(sorted({*settings.transports, *(trunk.transport for trunk in settings.trunks)}))}",
        f"rtp_ports {settings.rtp_ports[0]}-{settings.rtp_ports[1]}",
        "ausrc_srate 8000",
        "auplay_srate 8000",
        "audio_jitter_buffer_type adaptive",
        "audio_jitter_buffer_ms 20-200",
        "call_hold_other_calls no",
        f"call_local_timeout {_RING}",
    ]
    if settings.certificate is not None:
        lines.append(f"sip_certificate {_in_memory(settings.certificate)}")
    if settings.authorities is not None:
        lines.append(f"sip_cafile {_in_memory(settings.authorities)}")
        lines.append("sip_verify_server yes")
    lines.append(f"sip_verify_client {'yes' if settings.verify_peers else 'no'}")
    return Config(
        net_interface=None if ip_address(settings.host).is_unspecified else settings.host,
        expose_headers=HEADERS,
        max_concurrent_calls=None,
        rtp_timeout=round(settings.rtp_timeout),
        native_log_level="warning",
        extra_config_text="\n".join(lines) + "\n",
    )


def _in_memory(pem: str) -> str:
    """A path to a file that is on no disk; the stack reads it by name, and a key must not stay behind when we are killed."""
    descriptor = os.memfd_create("pem")
    os.write(descriptor, pem.encode())
    return f"/proc/self/fd/{descriptor}"


def catching_all(settings: SipSettings, transport: str) -> Account:
    """Whom calls reach that are for no trunk: an account answers on its own transport only, so there is one for each."""
    return Account(
        user="callwright",
        domain=_literal(settings.host),
        password="",
        reg_interval=0,
        transport=cast(_Transport, transport),
        audio_codecs=tuple(_CODECS[name] for name in settings.codecs),
        extra_params=("catchall=yes", *_every_account(settings)),
    )


def account(settings: SipSettings, trunk: Trunk) -> Account:
    """One trunk's."""
    return Account(
        user=trunk.user,
        domain=trunk.domain,
        password=trunk.password,
        auth_user=trunk.auth_user,
        registrar=trunk.proxy and f"{trunk.proxy};transport={trunk.transport}",
        reg_interval=trunk.expires,
        transport=cast(_Transport, trunk.transport),
        audio_codecs=tuple(_CODECS[name] for name in settings.codecs),
        extra_params=_every_account(settings),
    )


def _every_account(settings: SipSettings) -> tuple[str, ...]:
    return ("video_codecs=none", "ptime=20", *_MEDIA_ENCRYPTION[settings.srtp])


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def transport_of(uri: str, settings: SipSettings) -> str:
    """Which of the open transports an address asks for; the first where it does not say."""
    found = re.search(r";transport=(\w+)", uri)
    wanted = found[1].lower() if found else "tls" if uri.startswith("sips:") else settings.transports[0]
    return wanted if wanted in settings.transports else settings.transports[0]


def free_port(host: str) -> int:
    """A port that is free for UDP and TCP, and the next one for TLS.

    Raises:
        ConfigError: none was found, or the address is none of ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = "none"
    for _ in range(50):
        with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.socket(family) as tcp, socket.socket(family) as tls:
            try:
                udp.bind((host, 0))
                port = udp.getsockname()[1]
                tcp.bind((host, port))
                tls.bind((host, port + 1))
            except (OSError, OverflowError) as error:
                found = str(error)
                continue
            return int(port)
    raise ConfigError(f"expected to listen on {host} at a free pair of ports, found: {found}")
