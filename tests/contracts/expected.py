"""What is to happen when somebody of a built-in role calls an operation: it works, or it is refused with one of these statuses."""

from lastlight.kernel.permissions import Scope
from lastlight.runtime.http.operation import Operation
from tests.support.calls import REGISTRY
from tests.support.world import Somebody, World, may

WORKS = frozenset({0})
PLATFORM_HAS_NONE = frozenset(
    {
        "venue_id",
        "patron_id",
        "visit_id",
        "checkin_id",
        "device_id",
        "device_alert_id",
        "flag_id",
        "resource_id",
        "booking_id",
        "banner_id",
        "image_id",
        "tax_category_id",
        "tax_rate_id",
        "credit_entry_id",
        "spend_id",
        "adjustment_id",
        "account_id",
        "transaction_id",
        "payment_id",
        "dispute_id",
        "provider_event_id",
    }
)
"""Things that lie inside businesses only: the crew goes inside first, and from outside none of them exists."""
CREATE_VENUE = frozenset({"create_venue", "venue_new_submit"})
NEEDS_A_PLACE = {"upload_file": 403, "create_view": 403, "views_menu": 403, "view_submit": 403}
"""Open to everybody who is signed in, and refused to who has no business, or no list to read, by the action itself."""
KINDS_WITHOUT_LISTS = ("guest", "patron")


def expected(op: Operation, who: Somebody) -> frozenset[int]:
    """The statuses of the refusal; WORKS where it is to succeed."""
    if not may(op, who):
        if who.kind == "anonymous":
            return frozenset({401 if op.kind == "api" else 303})
        return frozenset({403})
    if who.kind == "crew" and who.home is None and not op.scope_tenant and _of_a_module(op):
        return frozenset({403})  # the platform itself has none of the modules that a business switches on
    if who.kind == "crew" and who.home is None and not op.scope_tenant and _inside_only(op):
        return frozenset({404})
    if op.name in CREATE_VENUE and (who.role == "vendor_admin" or (who.kind == "crew" and who.home is None)):
        return frozenset({403})  # it would lie outside the venues that are theirs, or in no business at all
    if op.name == "add_push_subscription" and (who.kind == "guest" or (who.kind == "crew" and who.home is not None)):
        return frozenset({403})  # they are told nothing: guests of no business, and the crew on a visit
    if op.name == "upload_file" and who.kind == "guest":
        return frozenset({403})  # files belong to a business
    if op.name == "read_file" and who.kind == "guest":
        return frozenset({404})  # so they have uploaded none
    if op.name in NEEDS_A_PLACE and op.name != "upload_file" and who.kind in KINDS_WITHOUT_LISTS:
        return frozenset({403})  # they read no list that has views
    return WORKS


def _of_a_module(op: Operation) -> bool:
    return bool(op.toggle or REGISTRY.module_of[id(op)].toggle)


def _inside_only(op: Operation) -> bool:
    return bool(PLATFORM_HAS_NONE & {*op.path_parameters()}) or op.name in {
        "check_out_visits",
        "visits_checkout",
        "change_patron_standings",
        "guests_chosen_dialog",
        "guests_chosen_submit",
        "add_device",
        "device_new_submit",
        "override_checkin",
        "create_resource",
        "resource_new_submit",
        "create_booking",
        "create_tax_category",
        "tax_category_new_submit",
        "start_tax_rate",
        "tax_rate_new_submit",
        "quote_taxes",
        "spend_credits",
        "adjust_credits",
        "adjust_ledger",
        "ledger_adjustment_submit",
        "refund_credits",
    }


def planner(world: World, op: Operation) -> Somebody:
    """Whose things a refused call names: tenant A's, or the platform's own where the operation is the crew's."""
    if op.scope_tenant or (op.permission is not None and op.permission.scope is Scope.PLATFORM):
        return world.somebody["crew.super_admin"]
    if op.permission is not None and op.permission.scope is Scope.OWN:
        return world.somebody["A.patron"]
    return world.somebody["A.owner"]
