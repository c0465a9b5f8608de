"""What may be done with check-ins and visits."""

from lastlight.kernel.permissions import Permission, Scope

CHECKINS_VERIFY = Permission("checkins.verify", "Check in with a venue's code", Scope.OWN)
CHECKINS_READ = Permission("checkins.read", "See who checked in", Scope.VENUE)
VISITS_OWN = Permission("visits.own", "See and end own visits, and register the phone that proves them", Scope.OWN)
VISITS_READ = Permission("visits.read", "See who is in, and past visits", Scope.VENUE)
VISITS_CHECKOUT = Permission("visits.checkout", "Check a guest out (a guest: only themselves)", Scope.VENUE)
VISITS_CORRECT = Permission("visits.correct", "Correct or void a visit, with a reason", Scope.VENUE)
CHECKINS_PASS = Permission("checkins.pass", "Carry a pass that a door's scanner reads", Scope.OWN)
CHECKINS_OVERRIDE = Permission(
    "checkins.override", "Let a guest in by hand against the door's rules, with a reason", Scope.VENUE
)
CHECKINS_REVOKE = Permission("checkins.revoke", "Take a check-in back, or call it a false positive", Scope.VENUE)
CHECKINS_REFUND = Permission(
    "checkins.refund", "Give back what a check-in cost, take or let off what is owed", Scope.VENUE
)
CHECKINS_PRICE = Permission("checkins.price", "Set what the entrance to a venue costs", Scope.VENUE)
PATRONS_FIND = Permission(
    "patrons.find", "Find a guest by name, e-mail address or number, as a door needs it", Scope.VENUE
)
FLAGS_READ = Permission("checkins.flags.read", "See the door's log and what looks like fraud there", Scope.VENUE)
FLAGS_RESOLVE = Permission("checkins.flags.resolve", "Judge what looks like fraud at the door", Scope.VENUE)
FRAUD_HEAR = Permission("fraud.hear", "Be told of fraud at the door: for whoever keeps the money", Scope.TENANT)

PERMISSIONS = (
    CHECKINS_VERIFY,
    CHECKINS_READ,
    VISITS_OWN,
    VISITS_READ,
    VISITS_CHECKOUT,
    VISITS_CORRECT,
    CHECKINS_PASS,
    CHECKINS_OVERRIDE,
    CHECKINS_REVOKE,
    CHECKINS_REFUND,
    CHECKINS_PRICE,
    PATRONS_FIND,
    FLAGS_READ,
    FLAGS_RESOLVE,
    FRAUD_HEAR,
)
