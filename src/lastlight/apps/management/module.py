"""What the management app brings: its first page, and figures of the team that several domains give."""

from lastlight.apps.management.performance import performance_page
from lastlight.apps.management.tonight import tonight_page
from lastlight.domains.checkins import VISITS_READ
from lastlight.runtime.module import Module, Nav

MODULE = Module(
    name="management_app",
    summary="Management: the night as it happens.",
    pages=(tonight_page, performance_page),
    nav=(Nav(app="management", label="Tonight", href="/manage", icon="activity", permission=VISITS_READ, order=10),),
)
