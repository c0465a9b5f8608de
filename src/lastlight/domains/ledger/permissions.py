"""What may be done with the books."""

from lastlight.kernel.permissions import Permission, Scope

LEDGER_READ = Permission("ledger.read", "See accounts, postings, holds and statements of the business", Scope.TENANT)
LEDGER_MANAGE = Permission("ledger.manage", "Close accounts of the ledger and open them again", Scope.TENANT)

PERMISSIONS = (LEDGER_READ, LEDGER_MANAGE)
