"""What passkeys take and give: the parts of WebAuthn that we use, in base64url."""

from datetime import datetime
from typing import Annotated, Literal, NewType
from uuid import UUID

import msgspec

from lastlight.domains.identity.contexts import As
from lastlight.domains.identity.schemas import Password
from lastlight.runtime.http import Input

PasskeyId = NewType("PasskeyId", UUID)
Base64 = Annotated[str, msgspec.Meta(min_length=1, max_length=16_000, pattern="^[A-Za-z0-9_-]+$(?!\\n)")]
CredentialId = Annotated[str, msgspec.Meta(min_length=1, max_length=1_400, pattern="^[A-Za-z0-9_-]+$(?!\\n)")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=80, description="How its owner tells it from others.")]
Code = Annotated[str, msgspec.Meta(max_length=40)]
Transport = Literal["usb", "nfc", "ble", "smart-card", "hybrid", "internal", "cable"]


class PasskeyMade(Input, frozen=True, kw_only=True):
    """What `navigator.credentials.create` gave."""

    id: CredentialId
    client_data: Base64
    attestation: Base64
    transports: Annotated[list[Annotated[str, msgspec.Meta(max_length=20)]], msgspec.Meta(max_length=10)] = (
        msgspec.field(default_factory=list[str])
    )


class PasskeyShown(Input, frozen=True, kw_only=True):
    """What `navigator.credentials.get` gave."""

    id: CredentialId
    client_data: Base64
    authenticator_data: Base64
    signature: Base64
    user_handle: Annotated[str, msgspec.Meta(max_length=100, pattern="^[A-Za-z0-9_-]*$(?!\\n)")] = ""


class PasskeyIn(Input, frozen=True, kw_only=True):
    """A new passkey and its name."""

    label: Label
    passkey: PasskeyMade


class PasskeyLabelIn(Input, frozen=True, kw_only=True):
    """Another name for a passkey."""

    label: Label


class PasskeyRemovalIn(Input, frozen=True, kw_only=True):
    """One's own password."""

    password: Password


class PasskeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own passkeys."""

    id: PasskeyId
    label: str
    backed_up: bool
    """Whether it is kept in an account of its maker's, so that a lost device does not lose it."""
    created_at: datetime
    last_used_at: datetime | None


class PasskeyKeptOut(msgspec.Struct, frozen=True, kw_only=True):
    """The new passkey; with the first factor of an account come its recovery codes, this one time."""

    passkey: PasskeyOut
    recovery_codes: list[str]


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A credential that the browser may or may not use."""

    id: str
    transports: list[str]


class CreationOut(msgspec.Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.create` is asked with; the challenge is good once, for five minutes."""

    challenge: str
    rp_id: str
    rp_name: str
    user_id: str
    user_name: str
    user_display_name: str
    algorithms: list[int]
    exclude: list[KnownKey]


class RequestOut(msgspec.Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.get` is asked with; the challenge is good once, for five minutes."""

    challenge: str
    rp_id: str
    allow: list[KnownKey]
    """Empty: the browser offers what it holds for this place."""
    user_verification: Literal["required", "preferred"]


class PasskeyChallengeIn(Input, frozen=True, kw_only=True):
    """Without a ticket the passkey alone signs in; with one it is the second step after the password."""

    ticket: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class PasskeySignInIn(Input, frozen=True, kw_only=True):
    """A passkey that signs in by itself, and where to go, as with a password."""

    passkey: PasskeyShown
    tenant: Annotated[str, msgspec.Meta(max_length=48)] | None = None
    as_: As | None = msgspec.field(name="as", default=None)
    label: Annotated[str, msgspec.Meta(max_length=80)] = ""


class SecondStepIn(Input, frozen=True, kw_only=True):
    """The ticket of a sign-in whose password was right, and a code or a passkey."""

    ticket: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    code: Code = ""
    passkey: PasskeyShown | None = None


class ProofIn(Input, frozen=True, kw_only=True):
    """A code of the app, a recovery code, or a passkey."""

    code: Code = ""
    passkey: PasskeyShown | None = None
