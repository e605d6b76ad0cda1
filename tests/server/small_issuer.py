"""A small OpenID Connect issuer on loopback: discovery, keys, authorization by code with PKCE, tokens as they are ordered."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "callwright", "the client's secret"


@dataclass
class SmallIssuer:
    """Gives everybody a code, and for it a token with ``claims``; ``spoil`` changes the token before it is signed."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "4711", "preferred_username": "Mei", "groups": ["cw-quality"]})
    spoil: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    signs_with: Any = None
    address: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    denies: bool = False
    says: dict[str, Any] = field(default_factory=dict)
    """What it says of itself, where that is to be wrong."""

    def configuration(self) -> dict[str, Any]:
        at = self.address
        told = {"issuer": at, "authorization_endpoint": f"{at}/auth", "token_endpoint": f"{at}/token", "jwks_uri": f"{at}/keys"}
        return {**told, **self.says}

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "one", "use": "sig"}]}

    def authorized(self, query: dict[str, str]) -> str:
        """Where the browser is sent."""
        if self.denies:
            return f"{query['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.address})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        begun = self.codes.pop(form.get("code", ""), None)
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        verifier = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if begun is None or begun["code_challenge"] != verifier or form["redirect_uri"] != begun["redirect_uri"]:
            return None
        if authorization != basic:
            return None
        now = int(time.time())
        right = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": begun["nonce"], **self.claims}
        claims = {name: value for name, value in {**right, **self.spoil}.items() if value is not None}
        key = self.key if self.signs_with is None else self.signs_with
        return {"id_token": jwt.encode(claims, key, self.algorithm, headers={"kid": "one"}), "token_type": "Bearer"}


@contextlib.contextmanager
def small_issuer() -> Iterator[SmallIssuer]:
    issuer = SmallIssuer()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            issuer.asked.append(path.path)
            if path.path == "/.well-known/openid-configuration":
                self.said(issuer.configuration())
            elif path.path == "/keys":
                self.said(issuer.keys())
            else:
                self.send_response(302)
                self.send_header("Location", issuer.authorized(dict(parse_qsl(path.query))))
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            issuer.asked.append(self.path)
            form = {name: values[0] for name, values in parse_qs(body).items()}
            found = issuer.token(form, self.headers.get("Authorization", ""))
            self.said(found or {"error": "invalid_grant"}, 200 if found else 400)

        def said(self, what: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    issuer.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
