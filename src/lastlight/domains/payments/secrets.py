"""The client secret of an intent: sealed at rest, bound to its payment, opened for the payer alone."""

from uuid import UUID

from lastlight.runtime.keys.sealed import Sealed
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.services import Services

PURPOSE = "payment-client-secret"


def client_secret_place(tenant_id: UUID, payment_id: UUID) -> bytes:
    """Binds a sealed client secret to its row, so that it opens nowhere else."""
    return b"payment|" + tenant_id.bytes + payment_id.bytes


def seal_client_secret(services: Services, tenant_id: UUID, payment_id: UUID, plain: str) -> bytes:
    """A client secret as it is kept."""
    keeper: Secrets = services.secrets
    return keeper.encrypt(PURPOSE, plain.encode(), client_secret_place(tenant_id, payment_id))


def open_client_secret(services: Services, tenant_id: UUID, payment_id: UUID, sealed: bytes) -> str:
    """A client secret for the payer's own browser."""
    keeper: Secrets = services.secrets
    return keeper.decrypt(PURPOSE, sealed, client_secret_place(tenant_id, payment_id)).decode()


SEALED = Sealed(
    table="payment_secrets",
    column="secret",
    label="secrets with which a guest pays",
    purpose=PURPOSE,
    key=("tenant_id", "payment_id"),
    place=client_secret_place,
)
