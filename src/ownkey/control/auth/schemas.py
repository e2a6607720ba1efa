"""Bodies of `/auth`."""

from pydantic import Field, SecretStr

from ownkey.control.shapes import Body, Reply


class Login(Body):
    """An account's address and password."""

    email: str = Field(max_length=320)
    password: SecretStr = Field(max_length=1024)


class SignedIn(Reply):
    """Who signed in, and until when."""

    user_id: str
    email: str
    role: str
    expires_at: str
