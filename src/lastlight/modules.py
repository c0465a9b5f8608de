"""The modules of the platform, in the order of their layers: one line for each."""

from lastlight.apps.account.module import MODULE as ACCOUNT
from lastlight.apps.door.module import MODULE as DOOR
from lastlight.apps.management.module import MODULE as MANAGEMENT
from lastlight.apps.named_paths import second_paths
from lastlight.apps.owner.module import MODULE as OWNER
from lastlight.apps.patron.module import MODULE as PATRON
from lastlight.apps.platform.module import MODULE as PLATFORM_APP
from lastlight.apps.staff.module import MODULE as STAFF
from lastlight.domains.adjustments.module import MODULE as ADJUSTMENTS
from lastlight.domains.checkins.module import MODULE as CHECKINS
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.devices.module import MODULE as DEVICES
from lastlight.domains.flags.module import MODULE as FLAGS
from lastlight.domains.identity.module import MODULE as IDENTITY
from lastlight.domains.ledger.module import BOOKS_MODULE as BOOKS
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.domains.payments.module import MODULE as PAYMENTS
from lastlight.domains.resources.module import MODULE as RESOURCES
from lastlight.domains.safety.module import CREW_MODULE as SAFETY_CREW
from lastlight.domains.safety.module import MODULE as SAFETY
from lastlight.domains.staff.module import CALENDARS
from lastlight.domains.staff.module import MODULE as TIME
from lastlight.domains.tasks.module import MODULE as TASKS
from lastlight.domains.taxes.module import MODULE as TAXES
from lastlight.domains.tenancy.module import MODULE as TENANCY
from lastlight.domains.venues.module import MODULE as VENUES
from lastlight.runtime.audit.module import MODULE as AUDIT
from lastlight.runtime.drills.module import MODULE as DRILLS
from lastlight.runtime.events.module import MODULE as EVENTS
from lastlight.runtime.exports.module import MODULE as EXPORTS
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.keys.module import MODULE as KEYS
from lastlight.runtime.mail.module import MODULE as MAIL
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.saved_views.module import MODULE as SAVED_VIEWS
from lastlight.runtime.storage.module import MODULE as FILES
from lastlight.runtime.tenant_settings import MODULE as SETTINGS

OWN_MODULES = (
    EVENTS,
    AUDIT,
    JOBS,
    KEYS,
    FILES,
    MAIL,
    PUSH,
    EXPORTS,
    SETTINGS,
    SAVED_VIEWS,
    DRILLS,
    FLAGS,
    IDENTITY,
    TENANCY,
    VENUES,
    TASKS,
    DEVICES,
    LEDGER,
    TAXES,
    BOOKS,
    PAYMENTS,
    CREDITS,
    ADJUSTMENTS,
    CHECKINS,
    TIME,
    CALENDARS,
    SAFETY,
    SAFETY_CREW,
    RESOURCES,
    ACCOUNT,
    PATRON,
    DOOR,
    STAFF,
    MANAGEMENT,
    OWNER,
    PLATFORM_APP,
)
MODULES = (*OWN_MODULES, second_paths(OWN_MODULES))
