// The pass: ready for the door, or the visit with its ring. The one place where the neon is spent.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { HomeVenue } from "../data/types";
import { checkOut, flow } from "../state/checkin";
import { home, now, present, type Present } from "../state/night";
import { go, hrefOf } from "../state/route";
import { clock, span, stopwatch, zoneOf } from "./words";

const RADIUS = 54;
const AROUND = 2 * Math.PI * RADIUS;
/** The ring is full after this long where nobody knows when the visit times out. */
const FULL_MS = 8 * 3_600_000;

export function Pass() {
  return present.value ? <VisitPass visit={present.value} /> : <ReadyPass />;
}

function ReadyPass() {
  const venues = home.value?.venues ?? [];
  const open = venues.filter((venue) => venue.is_open && venue.status === "active");
  const [only] = venues;
  return (
    <section class="pass" aria-labelledby="pass-title">
      <div>
        <div class="row">
          <div>
            <h2 id="pass-title">{open.length || !venues.length ? _("Ready when you are") : _("Doors are closed")}</h2>
            <p>{venues.length === 1 && only ? venueLine(only) : venuesLine(open.length, venues)}</p>
          </div>
          <Sunset />
        </div>
        <button type="button" class="p-btn go" onClick={() => go("scan")}>
          <Icon name="scan-line" />
          {_("Scan to check in")}
        </button>
        <CodeButton />
      </div>
    </section>
  );
}

function CodeButton() {
  return (
    <a class="p-btn" href={hrefOf("pass")}>
      <Icon name="qr-code" />
      {_("Show my code")}
    </a>
  );
}

function venueLine(venue: HomeVenue): string {
  return [venue.name, hoursLine(venue)].filter(Boolean).join(" · ");
}

function venuesLine(open: number, venues: HomeVenue[]): string {
  if (!venues.length) return _("Point your phone at the code by the door.");
  if (!open) {
    const next = venues.filter((venue) => venue.opens_at).sort((a, b) => Date.parse(a.opens_at!) - Date.parse(b.opens_at!))[0];
    return next ? _("%(venue)s opens first, at %(time)s.", { venue: next.name, time: clock(next.opens_at!, next.time_zone) }) : "";
  }
  return _("%(open)s of %(all)s venues are open now.", { open, all: venues.length });
}

/** "Open until 02:00", "Opens 18:00"; nothing where no hour is known. */
export function hoursLine(venue: HomeVenue): string {
  if (venue.status === "paused") return _("Takes no guests at the moment");
  if (venue.is_open) return venue.closes_at ? _("Open until %(time)s", { time: clock(venue.closes_at, venue.time_zone) }) : "";
  return venue.opens_at ? _("Opens %(time)s", { time: opening(venue) }) : "";
}

function opening(venue: HomeVenue): string {
  const at = Date.parse(venue.opens_at!);
  const time = clock(at, venue.time_zone);
  if (at - now.value < 18 * 3_600_000) return time;
  const day = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "long", timeZone: venue.time_zone }).format(at);
  return `${day} ${time}`;
}

function VisitPass({ visit }: { visit: Present }) {
  const venue = home.value?.venues.find((known) => known.id === visit.venueId);
  const elapsed = Math.max(0, now.value - visit.since);
  const busy = flow.value.step === "working" && flow.value.doing === "leaving";
  return (
    <section class="pass in" aria-labelledby="pass-title">
      <div>
        <div class="row">
          <div class="u-min0">
            {visit.saved ? (
              <span class="badge warn">
                <Icon name="clock" />
                {_("Saved on this phone")}
              </span>
            ) : (
              <span class="badge accent">
                <Icon name="map-pin" />
                {_("Checked in")}
              </span>
            )}
            <h2 id="pass-title" class="u-mt">
              {visit.venueName ?? venue?.name ?? _("At the door")}
            </h2>
            <p>{visit.saved ? _("Show this at the door. It is confirmed as soon as you have signal.") : venue?.address}</p>
          </div>
          <Ring elapsed={elapsed} whole={visit.timesOutAt ? visit.timesOutAt - visit.since : FULL_MS} />
        </div>
        <Facts visit={visit} venue={venue} />
        <button type="button" class="p-btn" onClick={() => void checkOut()} aria-busy={busy} disabled={busy}>
          <Icon name="log-out" />
          {_("Check out")}
        </button>
        <CodeButton />
      </div>
    </section>
  );
}

function Facts({ visit, venue }: { visit: Present; venue: HomeVenue | undefined }) {
  const closes = venue?.is_open ? venue.closes_at : null;
  const ends = visit.timesOutAt ?? (venue ? visit.since + venue.visit_timeout_minutes * 60_000 : null);
  const facts: [string, string][] = [[_("Since"), clock(visit.since, zoneOf(visit.venueId))]];
  if (closes) facts.push([_("Doors close"), clock(closes, venue?.time_zone)]);
  if (ends) facts.push([_("Ends by itself"), _("in %(span)s", { span: span(roughly(ends - now.value)) })]);
  return (
    <dl class="facts">
      {facts.map(([term, fact]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Seconds, to the quarter of an hour above an hour: a countdown by the minute would only make nervous. */
function roughly(ms: number): number {
  const seconds = Math.max(60, ms / 1000);
  return seconds > 3_600 ? Math.round(seconds / 3_600) * 3_600 : seconds;
}

function Ring({ elapsed, whole }: { elapsed: number; whole: number }) {
  const share = Math.min(1, Math.max(0.02, elapsed / Math.max(whole, 1)));
  return (
    <div class="ring" role="img" aria-label={_("%(span)s tonight", { span: span(elapsed / 1000) })}>
      <svg viewBox="0 0 120 120" aria-hidden="true">
        <defs>
          <linearGradient id="ring-sunset" x1="0" y1="0" x2="1" y2="1">
            <stop offset="0" stop-color="#ffb054" />
            <stop offset=".5" stop-color="#ff4d7d" />
            <stop offset="1" stop-color="#9a3cf0" />
          </linearGradient>
        </defs>
        <circle class="track" cx="60" cy="60" r={RADIUS} />
        <circle
          cx="60"
          cy="60"
          r={RADIUS}
          stroke="url(#ring-sunset)"
          stroke-linecap="round"
          stroke-dasharray={AROUND}
          stroke-dashoffset={AROUND * (1 - share)}
        />
      </svg>
      <div class="t" aria-hidden="true">
        <b>{stopwatch(elapsed)}</b>
        <small>{_("tonight")}</small>
      </div>
    </div>
  );
}

/** The last light: a sun that goes down behind a horizon of lines. */
export function Sunset() {
  const lines = [66, 73, 81, 90, 100];
  return (
    <svg class="p-sun" viewBox="0 0 120 120" aria-hidden="true">
      <defs>
        <linearGradient id="sun-disc" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color="#ffc46b" />
          <stop offset=".55" stop-color="#ff5a6e" />
          <stop offset="1" stop-color="#9a3cf0" />
        </linearGradient>
        <mask id="sun-bands">
          <rect width="120" height="120" fill="#fff" />
          {lines.map((y, index) => (
            <rect key={y} x="0" y={y} width="120" height={2 + index * 1.1} fill="#000" />
          ))}
        </mask>
      </defs>
      <circle class="halo" cx="60" cy="60" r="56" fill="none" stroke="url(#sun-disc)" stroke-width="1" />
      <circle cx="60" cy="60" r="44" fill="url(#sun-disc)" mask="url(#sun-bands)" />
    </svg>
  );
}
