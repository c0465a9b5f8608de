"""What a handler may return besides a plain value: a status, headers, a file, a page, a redirect."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from lastlight.kernel.errors import Invalid

T = TypeVar("T")


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie to set, or with `max_age` 0 to remove."""

    name: str
    value: str
    max_age: int
    http_only: bool = True
    path: str = "/"
    secure: bool = False
    """Set where the platform is served over https."""


class Reply(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A value with another status, headers or cookies."""

    value: T
    status: int | None = None
    headers: dict[str, str] = {}
    cookies: list[Cookie] = []


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A file. `body` is bytes, or an async iterator of bytes that needs no database."""

    body: bytes | Any
    media_type: str
    filename: str = ""
    inline: bool = False
    status: int = 200
    headers: dict[str, str] = {}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content, piece by piece."""
        if isinstance(self.body, bytes):
            yield self.body
        else:
            async for chunk in self.body:
                yield chunk


class View(msgspec.Struct, frozen=True):
    """A page: a template and what it shows. `block` answers with one block of it, for a fragment."""

    template: str
    context: dict[str, Any] = {}
    status: int = 200
    block: str = ""
    headers: dict[str, str] = {}
    cookies: list[Cookie] = []
    toast: str = ""
    """A short confirmation that the shell shows."""


class Redirect(msgspec.Struct, frozen=True):
    """Go to another page."""

    url: str
    cookies: list[Cookie] = []
    toast: str = ""


class RequestInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge may know of the request."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    ip: str
    user_agent: str
    request_id: str
    htmx: bool


class Form(msgspec.Struct, Generic[T], frozen=True):
    """A submitted form: the texts as they were sent, and the struct they make, or what is wrong with them."""

    values: dict[str, str]
    data: T | None
    errors: dict[str, str]

    def require(self) -> T:
        """The struct; raises Invalid with the fields at fault."""
        if self.data is None:
            raise Invalid(fields=self.errors)
        return self.data


class FormState(msgspec.Struct, frozen=True, kw_only=True):
    """A form as a template shows it again: what was sent, the last or all texts of a field, and what is wrong with them."""

    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    errors: dict[str, str] = {}
