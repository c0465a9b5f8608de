"""Which problems an operation may answer: those it declares, and those that the edge gives by what the operation is."""

from lastlight.kernel.errors import (
    Busy,
    Conflict,
    CrossOrigin,
    Invalid,
    KeyInFlight,
    KeyRequired,
    KeyReused,
    Malformed,
    ModuleOff,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Problem,
    ReadOnly,
    SessionEnded,
    TooLarge,
    TooManyRequests,
    UnsupportedMedia,
    Unsure,
    VersionRequired,
)
from lastlight.runtime.auth.errors import AUTH_ERRORS
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.module import Module


def refusals_of(op: Operation, module: Module) -> tuple[type[Problem], ...]:
    """Every problem class that a call of the operation may end with, by status and type, each once."""
    found = {*op.raises, *_of_caller(op, module), *_of_request(op), *_of_key(op), Busy}
    return tuple(sorted(found, key=lambda problem: (problem.status, problem.type)))


def honours_key(op: Operation) -> bool:
    """Whether an Idempotency-Key that is sent with a call counts."""
    return op.idempotent or (op.writes and not op.public and not op.secret)


def _of_caller(op: Operation, module: Module) -> set[type[Problem]]:
    found: set[type[Problem]] = set()
    if not op.public:
        found |= {NotSignedIn, SessionEnded, *AUTH_ERRORS}
    if op.permission is not None:
        found.add(NotPermitted)
    if op.toggle or module.toggle:
        found.add(ModuleOff)
    if op.writes:
        found |= {CrossOrigin} if op.looking else {CrossOrigin, ReadOnly}
    if op.limit != "none":
        found.add(TooManyRequests)
    return found


def _of_request(op: Operation) -> set[type[Problem]]:
    found: set[type[Problem]] = {Invalid, Malformed}
    if op.path_parameters():
        found.add(NotFound)
    if op.parameter("data") or op.parameter("body"):
        found |= {TooLarge, UnsupportedMedia}
    if op.writes:
        found |= {Conflict, Unsure}
    if op.parameter("if_match"):
        found.add(VersionRequired)
    return found


def _of_key(op: Operation) -> set[type[Problem]]:
    if not honours_key(op):
        return set()
    return {KeyInFlight, KeyReused, *((KeyRequired,) if op.idempotent else ())}
