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


ERRORS: tuple[type[Problem], ...] = (SlugTaken, NotPending, NotActive, NotSuspended)
