"""Signing in at the bank's own issuer: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636), and nothing else.

Rules. What a sign-in was begun with (state, nonce, verifier, where they wanted to go) lies sealed in a cookie of their browser
for ten minutes; it is good for one answer. The issuer's token counts only where its signature, issuer, audience, times and nonce
are right; symmetric algorithms and ``none`` are never taken. Who has no role by the configured map is not let in. Nothing of a
token or an answer is logged, shown or kept but name, roles, teams, and a fingerprint of issuer and subject.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import structlog
from cryptography.fernet import Fernet, InvalidToken

from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.config.named_files import text_in, trusting
from engine.config.oidc import OidcSection
from engine.core.errors import ConfigError
from engine.store.accounts import known_as

_log = structlog.get_logger(__name__)

BACK: Final = "/sign-in/oidc/back"
LASTS: Final = 600  # seconds from the beginning of a sign-in to its end
_WITHIN: Final = 10.0  # seconds, for one answer of the issuer's
_LARGEST: Final = 256 * 1024  # bytes of it
_KNOWN: Final = 3600.0  # seconds for which what the issuer says of itself is believed
_AGAIN: Final = 30.0  # seconds before its keys are asked for again because of one that is not known
_LEEWAY: Final = 60.0  # seconds that its clock may be off
_MOST_USED: Final = 10_000
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class Fault(StrEnum):
    """Why somebody is not signed in."""

    STATE = "state"
    """The answer belongs to no sign-in that was begun in this browser, or was used before, or came too late."""

    DENIED = "denied"
    """The issuer says no."""

    AWAY = "away"
    """The issuer does not answer, or with what is none."""

    TOKEN = "token"  # noqa: S105 -- the name of a fault
    """Its token is not right."""

    NAME = "name"
    """They have no name, or one that is somebody else's here."""

    ROLES = "roles"
    """They have no role."""


class NotSignedIn(Exception):
    """Somebody is not signed in."""

    def __init__(self, fault: Fault, why: str) -> None:
        """``why`` is for the log."""
        super().__init__(why)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a browser is sent, and what it keeps for us meanwhile."""

    address: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who the issuer says it is."""

    principal: Principal

    fingerprint: str
    """Of issuer and subject, which stay where a name may change hands."""

    ahead: str
    """Where they wanted to go."""


class Issuer:
    """The bank's, as one door asks it."""

    def __init__(
        self,
        section: OidcSection,
        secret: str | None,
        http: httpx.AsyncClient,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._section, self._secret, self._http, self._clock = section, secret, http, clock
        self._jwt: Any = import_module("jwt")
        self._seal = Fernet(Fernet.generate_key())
        self._used: OrderedDict[str, float] = OrderedDict()
        self._told: tuple[float, Mapping[str, Any]] = (-_KNOWN, {})
        self._keys: tuple[float, Mapping[str, Any]] = (-_KNOWN, {})
        self._asking = asyncio.Lock()

    @property
    def back(self) -> str:
        """Where it sends browsers back to."""
        return self._section.address.rstrip("/") + BACK

    async def begin(self, ahead: str) -> Begun:
        """Begin a sign-in. Safe to cancel.

        Raises:
            NotSignedIn: the issuer does not answer.
        """
        told = await self._configuration()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = {"state": state, "nonce": nonce, "verifier": verifier, "ahead": ahead}
        asked = {
            "response_type": "code",
            "client_id": self._section.client_id,
            "redirect_uri": self.back,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = str(told["authorization_endpoint"])
        sealed = self._seal.encrypt_at_time(json.dumps(begun).encode(), int(self._clock())).decode()
        return Begun(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", sealed)

    async def finish(self, answer: Mapping[str, str], sealed: str) -> Claimed:
        """End a sign-in with what the issuer sent the browser back with. Safe to cancel: it must then be begun anew.

        Raises:
            NotSignedIn: that is not how it is done.
        """
        begun = self._begun(answer.get("state", ""), sealed)
        if answer.get("iss", self._section.issuer) != self._section.issuer:  # RFC 9207
            raise NotSignedIn(Fault.TOKEN, "another issuer answered")
        if "code" not in answer:
            raise NotSignedIn(Fault.DENIED, "the issuer sent no code")
        token = await self._token(answer["code"], begun["verifier"])
        claims = await self._claims(token, begun["nonce"])
        subject = f"{self._section.issuer}\0{claims['sub']}".encode()
        return Claimed(self._principal(claims), sha256(subject).hexdigest(), begun["ahead"])

    def _begun(self, state: str, sealed: str) -> Mapping[str, str]:
        """What was begun, once."""
        now = self._clock()
        try:
            begun: dict[str, str] = json.loads(self._seal.decrypt_at_time(sealed.encode(), LASTS, int(now)))
        except InvalidToken:
            raise NotSignedIn(Fault.STATE, "nothing was begun in this browser, or too long ago") from None
        if not hmac.compare_digest(begun["state"].encode(), state.encode()):
            raise NotSignedIn(Fault.STATE, "the state is another sign-in's")
        while self._used and (next(iter(self._used.values())) < now - 2 * LASTS or len(self._used) >= _MOST_USED):
            self._used.popitem(last=False)
        if state in self._used:
            raise NotSignedIn(Fault.STATE, "the state was used before")
        self._used[state] = now
        return begun

    async def _token(self, code: str, verifier: str) -> str:
        told = await self._configuration()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.back, "code_verifier": verifier}
        form |= {"client_id": self._section.client_id}
        auth = None if self._secret is None else httpx.BasicAuth(self._section.client_id, self._secret)
        found = await self._answer("POST", str(told["token_endpoint"]), data=form, auth=auth)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn(Fault.DENIED, "the issuer gave no id_token")
        return token

    async def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        """What the token says, once it is known to be the issuer's, for us, for now, and for this sign-in."""
        try:
            head = self._jwt.get_unverified_header(token)
            algorithm = head.get("alg")
            if algorithm not in _ALGORITHMS:
                raise NotSignedIn(Fault.TOKEN, "the token is signed with an algorithm that is not taken")
            key = self._jwt.PyJWK(await self._key(head.get("kid")), algorithm)
            claims: Mapping[str, Any] = self._jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._section.client_id,
                issuer=self._section.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
            )
        except (self._jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotSignedIn(Fault.TOKEN, f"the token is not right: {type(error).__name__}") from None
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise NotSignedIn(Fault.TOKEN, "the nonce is another sign-in's")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._section.client_id) != self._section.client_id:
            raise NotSignedIn(Fault.TOKEN, "the token was made for another client")
        return claims

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        section = self._section
        groups = set(_names(claims.get(section.roles_claim)))
        roles: frozenset[Role] = frozenset(role for group, given in section.roles.items() if group in groups for role in given)
        teams = frozenset(_names(claims.get(section.teams_claim))) if section.teams_claim else frozenset()
        name = claims.get(section.name_claim)
        if not isinstance(name, str) or not name:
            raise NotSignedIn(Fault.NAME, "the token has no name")
        if not roles or (section.teams_claim and not teams):
            raise NotSignedIn(Fault.ROLES, "no role, or no team, for any of their groups")
        return Principal(PersonId(known_as(name)), roles, teams)

    async def _key(self, name: object) -> dict[str, Any]:
        """The issuer's key of this name; of no name, the only one."""
        found = self._named(name)
        if found is None and self._clock() - self._keys[0] >= _AGAIN:
            async with self._asking:
                told = await self._configuration()
                self._keys = (self._clock(), await self._answer("GET", str(told["jwks_uri"])))
            found = self._named(name)
        if found is None:
            raise NotSignedIn(Fault.TOKEN, "the token is signed with a key that the issuer does not have")
        return found

    def _named(self, name: object) -> dict[str, Any] | None:
        at, keys = self._keys
        if self._clock() - at >= _KNOWN:
            return None
        known = [it for it in keys.get("keys", ()) if isinstance(it, dict) and it.get("use", "sig") == "sig"]
        fitting = known if name is None else [it for it in known if it.get("kid") == name]
        return fitting[0] if len(fitting) == 1 else None

    async def _configuration(self) -> Mapping[str, Any]:
        """What it says of itself (OpenID Connect Discovery 1.0)."""
        at, told = self._told
        if self._clock() - at < _KNOWN:
            return told
        issuer = self._section.issuer
        told = await self._answer("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        clear = "http://" if issuer.startswith("http://") else "https://"
        if told.get("issuer") != issuer or not all(str(told.get(it, "")).startswith(("https://", clear)) for it in wanted):
            raise NotSignedIn(Fault.AWAY, "what the issuer says of itself is another's, or names an address in clear")
        self._told = (self._clock(), told)
        return told

    async def _answer(self, method: str, address: str, **asked: Any) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(_WITHIN), self._http.stream(method, address, **asked) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST:
                        raise NotSignedIn(Fault.AWAY, f"the issuer sent more than {_LARGEST} bytes")
            found = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            raise NotSignedIn(Fault.AWAY, f"no answer of the issuer's: {type(error).__name__}") from None
        if not answer.is_success or not isinstance(found, dict):
            fault = Fault.DENIED if answer.is_client_error else Fault.AWAY
            raise NotSignedIn(fault, f"the issuer answered with status {answer.status_code}")
        return found


def issuer_of(section: OidcSection | None) -> Issuer | None:
    """The configured one; nothing is asked of it before somebody signs in.

    Raises:
        ConfigError: the extra is not installed, or a file can't be read.
    """
    if section is None:
        return None
    secret = None if section.client_secret_file is None else _secret(section.client_secret_file)
    trusted = trusting("access.oidc.ca_file", section.ca_file)
    try:
        return Issuer(section, secret, httpx.AsyncClient(verify=trusted, follow_redirects=False, trust_env=False))
    except ImportError as error:
        raise ConfigError("access.oidc: expected the extra oidc: pip install 'callwright[oidc]'") from error


def _secret(file: Path) -> str:
    found = text_in(setting := "access.oidc.client_secret_file", file)
    if not found:
        raise ConfigError(f"{setting}: expected a secret in {file}, found an empty file")
    return found


def _names(claim: object) -> Iterable[str]:
    match claim:
        case str():
            return (claim,)
        case list():
            return tuple(it for it in claim[:1000] if isinstance(it, str))
        case _:
            return ()
