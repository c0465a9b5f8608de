"""Safety on screens, in every console of a business."""

from lastlight.domains.safety.alert_pages import alert_pages
from lastlight.domains.safety.floor_pages import asking_pages, floor_pages, venue_actions
from lastlight.domains.safety.incident_pages import incident_pages
from lastlight.domains.safety.intervention_pages import intervention_pages
from lastlight.domains.safety.record_pages import record_pages, setup_pages
from lastlight.domains.safety.sos_pages import URGENT_PAGES, broadcast_pages, sos_pages
from lastlight.runtime.http import Operation


def console_pages(prefix: str) -> tuple[Operation, ...]:
    """What every console of a business has."""
    makers = (floor_pages, alert_pages, sos_pages, intervention_pages, incident_pages, broadcast_pages)
    return tuple(operation for maker in makers for operation in maker(prefix))


PAGES = (
    *URGENT_PAGES,
    *console_pages("/staff"),
    *asking_pages("/staff"),
    *asking_pages("/manage"),
    *(
        operation
        for prefix in ("/manage", "/owner")
        for maker in (console_pages, record_pages, venue_actions, setup_pages)
        for operation in maker(prefix)
    ),
)
