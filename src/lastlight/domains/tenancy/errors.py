"""How tenancy refuses."""

from lastlight.kernel.errors import Problem


class SlugTaken(Problem):
    """Short names are unique on the platform."""

    type = "slug-taken"
    status = 409
    title = "This short name is taken"
    default_detail = "Choose another one."


class NotPending(Problem):
    """Only a registration that waits can be decided."""

    type = "registration-decided"
    status = 409
    title = "This registration was decided already"
    default_detail = "Load the business again to see how."


class ApplicantUnproven(Problem):
    """Nobody becomes an owner with an address that may be somebody else's."""

    type = "applicant-unproven"
    status = 409
    title = "The applicant has not confirmed the e-mail address"
    default_detail = "Approve once they have followed the link that we sent; they can ask for another by signing in."


class ModuleNeeded(Problem):
    """Modules that stand on one another are switched in order."""

    type = "module-needed"
    status = 409
    title = "Another module goes with this one"
    default_detail = "Switch that one first."


class NotActive(Problem):
    """Only a running business can be suspended or entered."""

    type = "tenant-not-active"
    status = 409
    title = "This business is not running"
    default_detail = "Load the business again to see where it stands."


class NotSuspended(Problem):
    """Only a suspended business can be reactivated."""

    type = "tenant-not-suspended"
    status = 409
    title = "This business is not suspended"
    default_detail = "Load the business again to see where it stands."


ERRORS: tuple[type[Problem], ...] = (SlugTaken, NotPending, ApplicantUnproven, ModuleNeeded, NotActive, NotSuspended)
