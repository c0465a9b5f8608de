// Rows: what happened, what waits on this phone, what was refused; and the venues.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { Command } from "../data/database";
import { dismiss } from "../data/outbox";
import type { Activity, HomeVenue } from "../data/types";
import { retryWithPosition } from "../state/checkin";
import { now } from "../state/night";
import { hoursLine } from "./pass";
import { clock, money, span, when, zoneOf } from "./words";

// icons: triangle-alert, log-in, log-out, timer-off, circle-pause, martini, door-open, door-closed
const ICONS = { checked_in: "log-in", checked_out: "log-out", timed_out: "timer-off" } as const;

// icons: heart-pulse, clock
const COMMAND_ICONS = { checkin: "log-in", checkout: "log-out", answer: "heart-pulse", help: "clock" } as const;

function titleOf(kind: Activity["kind"]): string {
  return { checked_in: _("Checked in"), checked_out: _("Checked out"), timed_out: _("Visit ended by itself") }[kind];
}

function commandTitle(command: Command): string {
  const help = command.body.quiet ? _("Saved action") : _("I need help");
  const answer = command.body.answer === "help" ? _("I need help") : _("I'm fine");
  return { checkin: _("Check in"), checkout: _("Check out"), answer, help }[command.kind];
}

export function ActivityRow({ item, timeOnly = false }: { item: Activity; timeOnly?: boolean }) {
  return (
    <li>
      <span class="ic">
        <Icon name={ICONS[item.kind]} />
      </span>
      <b>{titleOf(item.kind)}</b>
      <small>
        {item.venue} · {timeOnly ? clock(item.at, zoneOf(item.venue_id)) : when(item.at, now.value, zoneOf(item.venue_id))}
      </small>
      {item.duration_seconds !== null && <span class="amt">{span(item.duration_seconds)}</span>}
    </li>
  );
}

export function QueuedRow({ command }: { command: Command }) {
  return (
    <li class="pending">
      <span class="ic">
        <Icon name={COMMAND_ICONS[command.kind]} />
      </span>
      <b>{[commandTitle(command), command.venue_name].filter(Boolean).join(" · ")}</b>
      <small>
        <Icon name="clock" />
        {_("Saved on this phone, %(time)s", { time: when(command.at, now.value, zoneOf(command.venue_id), true) })}
      </small>
    </li>
  );
}

/** A command that the server refused: kept until the person has read why. */
export function RejectedRow({ command }: { command: Command }) {
  const problem = command.problem;
  const positionHelps = problem?.type === "position-required" || problem?.type === "position-imprecise";
  return (
    <li class="rejected">
      <span class="ic">
        <Icon name="circle-alert" />
      </span>
      <b>{[commandTitle(command), command.venue_name].filter(Boolean).join(" · ")}</b>
      <small>
        <Icon name="circle-x" />
        {_("Refused, %(time)s", { time: when(command.at, now.value, zoneOf(command.venue_id), true) })}
      </small>
      <p>
        <strong>{problem?.title}.</strong> {problem?.detail}
      </p>
      <div class="do">
        {positionHelps && (
          <button type="button" class="btn sm" onClick={() => void retryWithPosition(command)}>
            <Icon name="locate-fixed" />
            {_("Share position, try again")}
          </button>
        )}
        <button type="button" class="btn sm" onClick={() => void dismiss(command.id)}>
          {_("Dismiss")}
        </button>
      </div>
    </li>
  );
}

export function VenueRow({ venue, here }: { venue: HomeVenue; here: boolean }) {
  const open = venue.is_open && venue.status === "active";
  return (
    <li class="venue">
      <span class="ic">
        <Icon name={venue.degraded_reason ? "triangle-alert" : venue.status === "paused" ? "circle-pause" : "martini"} />
      </span>
      <b>
        <a class="p-cover" href={`/patron/venues/${venue.id}`}>
          {venue.name}
        </a>
      </b>
      <small>{[hoursLine(venue), venue.address].filter(Boolean).join(" · ")}</small>
      {venue.degraded_reason && <p class="p-odd">{_("Not as usual: %(reason)s", { reason: venue.degraded_reason })}</p>}
      {(venue.entrance || venue.age_limit) && (
        <span class="marks u-row u-wrap">
          {venue.entrance && <span class="badge">{_("Entrance %(amount)s", { amount: money(venue.entrance.amount, venue.entrance.currency) })}</span>}
          {venue.age_limit && <span class="badge">{venue.age_limit}+</span>}
        </span>
      )}
      <span class="amt u-row">
        {here ? (
          <span class="badge accent">
            <Icon name="map-pin" />
            {_("You're here")}
          </span>
        ) : (
          <span class={`badge ${open ? "ok" : ""}`}>
            <Icon name={open ? "door-open" : "door-closed"} />
            {open ? _("Open") : venue.status === "paused" ? _("Paused") : _("Closed")}
          </span>
        )}
      </span>
    </li>
  );
}
