"""What the account pages bring."""

from lastlight.apps.account.credentials import CREDENTIAL_PAGES
from lastlight.apps.account.exports import EXPORT_PAGES
from lastlight.apps.account.going import go_page
from lastlight.apps.account.invitation import INVITATION_LINK
from lastlight.apps.account.notifications import NOTIFICATION_PAGES
from lastlight.apps.account.own import OWN_PAGES
from lastlight.apps.account.security import SECURITY_PAGES
from lastlight.apps.account.signing import SIGNING
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import View, page
from lastlight.runtime.module import Module
from lastlight.ui.gallery import gallery_context


@page("/gallery", public="It shows components with made-up data.")
async def gallery_page(ctx: Ctx) -> View:
    """Show every component in every state."""
    return View("gallery/index.html", gallery_context())


MODULE = Module(
    name="account",
    summary="Doors to every app, and one's own account.",
    pages=(
        *SIGNING,
        *INVITATION_LINK,
        *OWN_PAGES,
        *SECURITY_PAGES,
        *CREDENTIAL_PAGES,
        *EXPORT_PAGES,
        *NOTIFICATION_PAGES,
        go_page,
        gallery_page,
    ),
)
