"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict


class ResourceNameTaken(Conflict):
    """Two of one kind at a venue cannot share a name, or nobody knows which is meant."""

    type = "resource-name-taken"
    title = "Another one here has this name"
    default_detail = "Choose another name, such as Table 12 or Room B."


class ResourceRetired(Conflict):
    """A retired resource is kept as it was."""

    type = "resource-retired"
    title = "This one is retired"
    default_detail = "Make it available again before you change or book it."


class ResourceBooked(Conflict):
    """Nothing is retired under the guests who booked it."""

    type = "resource-booked"
    title = "There are bookings ahead"
    default_detail = "Move or cancel its bookings, then retire it."


class ResourceNotBookable(Conflict):
    """It is not lent by booking, or not now."""

    type = "resource-not-bookable"
    title = "This cannot be booked"
    default_detail = "Choose another one, or ask the staff."


class BookingOverlaps(Conflict):
    """The time is taken, or lies in the buffer around another booking."""

    type = "booking-overlaps"
    title = "This time is taken"
    default_detail = "Choose another time, or another one that is free then."


class BookingEnded(Conflict):
    """What was cancelled, missed or over does not change any more."""

    type = "booking-ended"
    title = "This booking does not stand any more"
    default_detail = "Make a new booking."


class BookingNotDue(Conflict):
    """A guest cannot have missed what has not begun."""

    type = "booking-not-due"
    title = "This booking has not begun yet"
    default_detail = "Wait until it begins, or cancel it."


class BookingArrived(Conflict):
    """The guest is here already."""

    type = "booking-arrived"
    title = "The guest of this booking is here"
    default_detail = "End the booking when they are done."


class BookingsFull(Conflict):
    """A guest has as many bookings ahead as the business allows."""

    type = "bookings-full"
    title = "You have as many bookings as you may"
    default_detail = "Cancel one first, or ask the staff to book for you."


class VenueNotOpenThen(Conflict):
    """The venue is shut at that time, or takes no guests."""

    type = "venue-not-open-then"
    title = "The venue is not open then"
    default_detail = "Choose a time within its opening hours."


ERRORS = (
    ResourceNameTaken,
    ResourceRetired,
    ResourceBooked,
    ResourceNotBookable,
    BookingOverlaps,
    BookingEnded,
    BookingNotDue,
    BookingArrived,
    BookingsFull,
    VenueNotOpenThen,
)
