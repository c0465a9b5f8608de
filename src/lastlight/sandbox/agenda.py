"""What happens by itself, when the account's clock reaches its time."""

from collections.abc import Callable, Mapping

from lastlight.sandbox.desk import Desk
from lastlight.sandbox.resources import balance, disputes, payment_intents, refunds, topups
from lastlight.sandbox.store import row

HAPPENINGS: Mapping[str, Callable[[Desk, str], None]] = {
    "available": balance.make_available,
    "dispute": disputes.open_dispute,
    "dispute_lapses": disputes.lapse,
    "expire": payment_intents.expire,
    "refund_fails": refunds.fail,
    "refund_settles": refunds.settle,
    "topup_arrives": topups.arrive,
    "verdict": disputes.decide,
}


def run_due(desk: Desk) -> int:
    """Let everything that is due happen, each at its own time and in its order; returns how many did."""
    until, happened = desk.now, 0
    sql = "select seq, due, name, subject from task where account = ? and due <= ? order by due, seq limit 1"
    while (found := row(desk.db, sql, desk.account, until)) is not None:
        desk.db.execute("delete from task where seq = ?", (found["seq"],))
        desk.now = found["due"]
        HAPPENINGS[found["name"]](desk, found["subject"])
        happened += 1
    desk.now = until
    return happened
