"""Microsoft Entra's access tokens for client credentials, as Azure's clients ask for them.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs

import msgspec

from ownkey.sandbox.context import Context
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Answer
from ownkey.sandbox.keys import KeyIdentity, Trouble

LIFETIME = 3599
_WANTED = ("client_id", "client_secret", "scope", "grant_type")


def token(context: Context) -> Answer:
    """POST …/oauth2/v2.0/token. A secret with `invalid`, `rejected` or `expired` in it is refused; the other words
    that make a key bad come back in the token, so that the provider finds it bad."""
    form = {name: values[0] for name, values in parse_qs(context.request.body.decode("latin-1")).items()}
    for name in _WANTED:
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            raise Refused(Problem(status=400, message=text, type="invalid_request", code="900144"))
    if form["grant_type"] != "client_credentials":
        raise Refused(
            Problem(status=400, message="Unsupported grant type.", type="unsupported_grant_type", code="70003")
        )
    secret = form["client_secret"]
    key = KeyIdentity(secret.encode())
    if key.trouble in (Trouble.INVALID, Trouble.REJECTED):
        raise _bad_client(
            7000215,
            f"Invalid client secret provided. Ensure the secret being sent in the request is "
            f"the client secret value, not the client secret ID, for a secret added to app "
            f"'{form['client_id']}'.",
        )
    if "expired" in secret.lower():
        raise _bad_client(7000222, "The provided client secret keys for app are expired.")
    return context.json(
        {
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": _web_token(form["client_id"], key),
        }
    )


def _bad_client(number: int, text: str) -> Refused:
    return Refused(Problem(status=401, message=text, type="invalid_client", code=str(number)))


def _web_token(client_id: str, key: KeyIdentity) -> str:
    """A JSON Web Token in form, unsigned; the same secret gets the same one."""
    header = _part({"typ": "JWT", "alg": "none"})
    claims = _part({"appid": client_id, "sub": sha256(key.raw).hexdigest()})
    return f"{header}.{claims}.sandbox-{key.trouble.value if key.trouble else 'good'}-{key.digest}"


def _part(value: dict[str, str]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
