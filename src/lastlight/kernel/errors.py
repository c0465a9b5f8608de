"""Problems: every refusal is an RFC 9457 problem with a stable type, a sentence for the person and the fields at fault."""

from collections.abc import Mapping
from typing import ClassVar


class Problem(Exception):
    """A refusal. Subclasses declare `type`, `status` and `title`; `detail` says what to do about it."""

    type: ClassVar[str] = "problem"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "That did not work"
    default_detail: ClassVar[str] = ""
    keeps: ClassVar[bool] = False
    """The transaction stands although the request is refused: what was written before, and its audit records, are kept."""
    default_headers: ClassVar[Mapping[str, str]] = {}
    """Headers of the answer wherever it is raised; those given to one replace them."""

    def __init__(
        self,
        detail: str = "",
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str | int | float | None] | None = None,
    ) -> None:
        self.detail = detail or self.default_detail or self.title + "."
        self.fields = dict(fields or {})
        self.headers = {**self.default_headers, **(headers or {})}
        self.extra = dict(extra or {})
        super().__init__(self.detail)


class Invalid(Problem):
    """A field holds something that cannot be taken; `fields` maps each JSON path to its sentence."""

    type = "invalid"
    status = 422
    title = "Some fields need another value"


class Malformed(Problem):
    """The request could not be read at all."""

    type = "malformed"
    status = 400
    title = "The request could not be read"


class TooLarge(Problem):
    """The body is longer than the operation takes."""

    type = "too-large"
    status = 413
    title = "The request is too large"


class UnsupportedMedia(Problem):
    """The body is of another kind than the operation takes."""

    type = "unsupported-media-type"
    status = 415
    title = "Send this as application/json"


class NotSignedIn(Problem):
    """The operation is not public, and the call carried no sign-in."""

    type = "not-signed-in"
    status = 401
    title = "Sign in first"
    default_detail = "Sign in, then try again."


class SessionEnded(Problem):
    """The sign-in was ended: by signing out, by a new password, by its age, or by somebody who may."""

    type = "session-ended"
    status = 401
    title = "Your session has ended"
    default_detail = "Sign in again."


class NotPermitted(Problem):
    """The caller is signed in and lacks the permission, here or at this venue."""

    type = "not-permitted"
    status = 403
    title = "Your role does not allow this"
    default_detail = "Ask an owner or a manager to do it, or to extend your role."


class ReadOnly(Problem):
    """The session only looks: it previews a role, or the crew sees with somebody's eyes. Nothing is written in it."""

    type = "read-only"
    status = 403
    title = "You are only looking"
    default_detail = "Nothing was changed. End the preview or the visit first, then do it as yourself."


class CrossOrigin(Problem):
    """A write came with the console's cookie from a page that is not ours."""

    type = "cross-origin"
    status = 403
    title = "This came from another site"
    default_detail = "Open Last Light itself and try again from there."


class ModuleOff(Problem):
    """The business has switched off the module that the operation belongs to."""

    type = "module-off"
    status = 403
    title = "This module is switched off"


class NotFound(Problem):
    """Also the answer to another tenant's thing: nobody learns that it exists."""

    type = "not-found"
    status = 404
    title = "Not found"
    default_detail = "It does not exist, or you may not see it."


class MethodNotAllowed(Problem):
    """The path exists, under other methods; `Allow` names them."""

    type = "method-not-allowed"
    status = 405
    title = "That method does not work here"


class Conflict(Problem):
    """The change breaks a rule of the data that has no problem of its own, or met another change of the same thing."""

    type = "conflict"
    status = 409
    title = "This clashes with what is already there"


class Stale(Problem):
    """Optimistic locking: somebody changed it since it was read."""

    type = "stale"
    status = 412
    title = "Somebody changed this in the meantime"
    default_detail = "Load it again, look at the change, then repeat yours."


class VersionRequired(Problem):
    """A change to something with a version came without If-Match."""

    type = "version-required"
    status = 428
    title = "Say which version you are changing"
    default_detail = "Send the version that you read as If-Match."


class KeyRequired(Problem):
    """An operation whose effect must not happen twice was called without a key."""

    type = "idempotency-key-required"
    status = 400
    title = "An Idempotency-Key is needed"
    default_detail = "Send a new UUID as Idempotency-Key, and the same one when you retry."


class KeyReused(Problem):
    """The key came before with another body, or for another operation."""

    type = "idempotency-key-reused"
    status = 422
    title = "This Idempotency-Key belongs to another request"
    default_detail = "Use a new key for a new request; repeat a key only with the same body."


class KeyInFlight(Problem):
    """The first call with this Idempotency-Key has not ended yet; repeated with the same key, it gets its answer."""

    type = "idempotency-key-in-flight"
    status = 409
    title = "This was sent before and is still being done"
    default_detail = "Wait a moment, then send it again as it is: it is done only once."


class TooManyRequests(Problem):
    """The caller used up the allowance; `Retry-After` says when there is room again."""

    type = "too-many-requests"
    status = 429
    title = "Too many requests"


class Busy(Problem):
    """The database is away, did not answer in time, or had each attempt end for another's sake."""

    type = "busy"
    status = 503
    title = "Last Light is busy"
    default_detail = "Nothing was changed. Try again in a few seconds."
    default_headers = {"Retry-After": "2"}  # noqa: RUF012 - declared as a ClassVar by its base


class Unsure(Busy):
    """The connection to the database was lost over the commit: the change was made, or it was not. A call that has an
    Idempotency-Key can be repeated with it: it is done once, and the repetition gets its answer.
    """

    type = "outcome-unknown"
    title = "It is not known whether this was done"
    default_detail = "Look whether it was done before you do it again."


class Broken(Problem):
    """An error that nobody foresaw; it is logged and reported under the request's id."""

    type = "internal"
    status = 500
    title = "Something broke on our side"
    default_detail = "Nothing was changed. Try again; if it stays, give us the request id."
