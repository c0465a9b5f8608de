"""What may be done with check-ins and visits."""

from lastlight.kernel.permissions import Permission, Scope

CHECKINS_VERIFY = Permission("checkins.verify", "Check in with a venue's code", Scope.OWN)
CHECKINS_READ = Permission("checkins.read", "See who checked in", Scope.VENUE)
VISITS_OWN = Permission("visits.own", "See and end own visits, and register the phone that proves them", Scope.OWN)
VISITS_READ = Permission("visits.read", "See who is in, and past visits", Scope.VENUE)
VISITS_CHECKOUT = Permission("visits.checkout", "Check a guest out (a guest: only themselves)", Scope.VENUE)
VISITS_CORRECT = Permission("visits.correct", "Correct or void a visit, with a reason", Scope.VENUE)

PERMISSIONS = (CHECKINS_VERIFY, CHECKINS_READ, VISITS_OWN, VISITS_READ, VISITS_CHECKOUT, VISITS_CORRECT)
