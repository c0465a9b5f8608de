"""`lastlight crew`: let the first person of the crew in; everybody after them is invited on the platform's own pages."""

import argparse

from lastlight.domains import identity, tenancy
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PLATFORM
from lastlight.main import create_services
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import running_address


async def admit(settings: Settings, arguments: argparse.Namespace) -> str:
    """Make the owner of an address a super admin; returns the line with the link where they choose a password."""
    services = await create_services(settings)
    try:
        await tenancy.sync_tenants(services)
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            token = await identity.admit_to_crew(ctx, email=arguments.email, name=arguments.name)
    except Invalid as refused:
        raise StartError(" ".join(f"{field}: {why}" for field, why in refused.fields.items())) from None
    finally:
        await services.close()
    return f"Choose a password within seven days, at {running_address(settings)}/reset?token={token}"
