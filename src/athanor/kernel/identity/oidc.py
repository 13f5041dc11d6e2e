"""Sign-in by an OpenID provider: the code flow with PKCE (OpenID Connect Core 1.0; RFC 6749, 7636)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.directories import Admission, DirectoryUnreachableError, OutsidePerson
from athanor.kernel.identity.tables import UserRow

_TIMEOUT_S = 10.0
_FRESH_S = 600.0  # how long the provider's addresses and keys are kept
_LEEWAY_S = 60  # by which clocks may differ
_ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]  # no shared ones


class OpenIdRefusedError(AthanorError):
    """What the provider, or somebody in its name, sent back is not what was asked for."""

    code = "identity.openid-refused"

    def __init__(self, reason: object) -> None:
        super().__init__(f"Signing in elsewhere did not succeed ({reason}). Start again from the sign-in page.")


@dataclass(frozen=True, slots=True)
class OidcPlace:
    """Where a provider is, and as whom it knows this server."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    login_claim: str
    groups_claim: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that is under way at the provider. The browser keeps it, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    onward: str  # where the person wanted to go


class OidcProvider:
    """Sends people to one provider and takes them back."""

    name = "oidc"

    def __init__(self, place: OidcPlace, admission: Admission) -> None:
        self._place = place
        self._admission = admission
        self._known: tuple[Mapping[str, Any], KeySet] | None = None
        self._known_at = -_FRESH_S

    async def begin(self, redirect_uri: str, onward: str) -> tuple[str, Begun]:
        """The provider's address to send the browser to, and what to keep until it is back.

        Raises DirectoryUnreachableError.
        """
        metadata, _keys = await self._provider()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state, nonce, verifier, redirect_uri, onward)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._place.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._place.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{metadata['authorization_endpoint']}?{urlencode(asked)}", begun

    async def finish(self, given: Mapping[str, str], begun: Begun) -> UserRow:
        """The account of whom the provider sends back with these query parameters.

        Raises OpenIdRefusedError, DirectoryUnreachableError, NotAdmittedError, LoginTakenError.
        """
        if not hmac.compare_digest(given.get("state", "").encode(), begun.state.encode()):
            raise OpenIdRefusedError("its answer belongs to another sign-in")
        if "code" not in given:
            raise OpenIdRefusedError(given.get("error", "it sent no code")[:100])
        metadata, keys = await self._provider()
        claims = self._claims(await self._token(metadata, given["code"], begun), metadata, keys, begun)
        return await self._admission.admit(self._person(claims))

    async def _token(self, metadata: Mapping[str, Any], code: str, begun: Begun) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "code_verifier": begun.verifier,
        }
        answer = await self._ask("POST", metadata["token_endpoint"], form)
        if "id_token" not in answer:
            raise OpenIdRefusedError(str(answer.get("error", "it sent no token"))[:100])
        return str(answer["id_token"])

    def _claims(self, token: str, metadata: Mapping[str, Any], keys: KeySet, begun: Begun) -> Mapping[str, Any]:
        """What the token says, once it has proved to be the provider's, for us, of this sign-in and of now."""
        rules = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "value": self._place.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": begun.nonce},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise OpenIdRefusedError(error) from error
        return claims

    def _person(self, claims: Mapping[str, Any]) -> OutsidePerson:
        groups = claims.get(self._place.groups_claim, [])
        return OutsidePerson(
            key=str(claims["sub"]),
            login=str(claims.get(self._place.login_claim, "")),
            name=str(claims.get("name", "")),
            email=str(claims.get("email", "")),
            groups=frozenset(map(str, groups)) if isinstance(groups, list) else frozenset({str(groups)}),
        )

    async def _provider(self) -> tuple[Mapping[str, Any], KeySet]:
        """Its addresses and keys."""
        if self._known is None or monotonic() - self._known_at >= _FRESH_S:
            place = self._place.issuer.rstrip("/")
            metadata = await self._ask("GET", f"{place}/.well-known/openid-configuration")
            if str(metadata.get("issuer", "")).rstrip("/") != place:
                raise DirectoryUnreachableError(place, f"it calls itself {metadata.get('issuer')}")
            try:
                keys = KeySet.import_key_set(await self._ask("GET", metadata["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, KeyError, ValueError) as error:
                raise DirectoryUnreachableError(place, error) from error
            self._known, self._known_at = (metadata, keys), monotonic()
        return self._known

    async def _ask(self, method: str, address: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        secret = (self._place.client_id, self._place.client_secret) if form else None
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
                answer = await client.request(method, address, data=form, auth=secret)
                found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DirectoryUnreachableError(self._place.issuer, error) from error
        if not isinstance(found, dict) or answer.status_code >= 500 or (form is None and answer.is_error):
            raise DirectoryUnreachableError(self._place.issuer, f"it answers {answer.status_code}")
        return found
