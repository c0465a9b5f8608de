"""The pages of listings and of jobs."""

from collections.abc import Iterable
from typing import Any

from lastlight.reference.markdown import code, codes, facts, link, page, table
from lastlight.reference.operations import paths_of
from lastlight.runtime.http.listing import COUNT_CAP, Column, Filter, Listing
from lastlight.runtime.jobs.declaration import Job
from lastlight.runtime.module import Registry

LISTINGS_INTRO = f"""\
A list is declared once and serves as JSON, as the table on a page and as an export. `limit` is at most 200, `after` the `next` of the page before,
`sort` a sortable column (with `-` in front for the other direction), `q` words to search for; `count=true` also counts, up to {COUNT_CAP:,}."""
JOBS_INTRO = """\
A job is queued in the transaction that wants it and run by a worker after the commit. One that fails is tried again with growing pauses; after the
last attempt it is *dead* until somebody queues it again, one that refuses has *failed*. A cancelled one stops at its next report of progress."""
TAKEN = {
    "time": "{0}_from, {0}_to",
    "number": "{0}_from, {0}_to",
}


def listings_page(registry: Registry) -> str:
    """Every list: who reads it where, its columns and filters."""
    found = sorted(registry.listings.values(), key=lambda listing: listing.name)
    return page("Listings", LISTINGS_INTRO, (part for listing in found for part in _listing(listing, registry)))


def jobs_page(registry: Registry) -> str:
    """Every job: what it does, when it runs, how often it is tried."""
    parts: list[str] = []
    for module in registry.modules:
        if module.jobs:
            parts.append(f"## {module.name}")
            parts += [part for job in sorted(module.jobs, key=lambda job: job.name) for part in _job(job, registry)]
    return page("Jobs", JOBS_INTRO, parts)


def _listing(listing: Listing[Any], registry: Registry) -> Iterable[str]:
    served = [op for op in registry.operations if (q := op.parameter("query")) and q.kind is listing.query_type]
    searched = [column.label.lower() for column in listing.columns if column.sql in listing.search]
    return (
        f"## {listing.name}",
        f"{listing.label}.",
        facts(
            [
                ("Read with", link(listing.permission.name, page="permissions") if listing.permission else ""),
                ("Limited to", ", ".join(_limits(listing))),
                ("Served at", paths_of(served)),
                ("Order", code(listing.sort)),
                ("Search looks at", ", ".join(searched) or (codes(listing.search) if listing.search else "")),
            ]
        ),
        table(["column", "label", "type", "sorts"], map(_column, listing.columns)),
        table(["filter", "label", "type"], map(_filter, listing.filters)),
    )


def _limits(listing: Listing[Any]) -> Iterable[str]:
    if listing.cross_tenant:
        yield "the reader's business; the crew read every one"
    if listing.venue or listing.venues:
        yield "the reader's venues"
    if listing.own:
        yield "a guest's own rows"
    if listing.own_user:
        yield "the reader's own rows"


def _column(column: Column) -> tuple[str, str, str, str]:
    kind = codes(value for value, _ in column.choices) if column.choices else column.kind
    return code(column.name), column.label, kind, "yes" if column.sort else ""


def _filter(declared: Filter) -> tuple[str, str, str]:
    names = TAKEN.get(declared.kind, "{0}").format(declared.name).split(", ")
    kind = codes(value for value, _ in declared.choices) if declared.choices else declared.kind
    return codes(names), declared.label, kind + (", may repeat" if declared.kind in {"uuid", "enum"} else "")


def _job(job: Job, registry: Registry) -> Iterable[str]:
    events = sorted(r.event.event_name for r in registry.reactions if r.job.name == job.name)
    arguments = [name for name in job.parameters if name not in {"ctx", "job"}]
    wait = f"{job.retry.backoff:g} s first, doubled each time, at most {job.retry.most:g} s"
    return (
        f"### {job.name}",
        job.description,
        facts(
            [
                ("Schedule", f"{code(job.schedule)} (UTC), {_each(job)}" if job.schedule else ""),
                ("Answers", ", ".join(link(name, page="events") for name in events)),
                ("Takes", codes(name if name in job.required else f"{name}?" for name in sorted(arguments))),
                ("Tried", f"{job.retry.attempts} times; pauses: {wait}" if job.retry.attempts > 1 else "once"),
                ("Time", f"at most {job.timeout:g} s"),
                ("Database role", code(f"lastlight_{job.role}")),
                ("Switched off with", code(job.toggle) if job.toggle else ""),
            ]
        ),
    )


def _each(job: Job) -> str:
    if job.each == "tenant":
        return "for every active business"
    return "once for the platform" if job.each == "platform" else "for the businesses that need it"
