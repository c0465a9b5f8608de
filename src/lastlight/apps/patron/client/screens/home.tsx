// Home: the pass, what happened lately, the venues.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Ahead } from "../parts/ahead";
import { CreditsTile } from "../parts/credits-tile";
import { Header, NetBanner } from "../parts/frame";
import { HelpButton } from "../parts/help-button";
import { ActivityRow, QueuedRow, RejectedRow, VenueRow } from "../parts/lists";
import { Pass } from "../parts/pass";
import { NotLoaded, State } from "../parts/state";
import { greeting, span, when, zoneOf } from "../parts/words";
import { home, me, now, present, queued, rejected } from "../state/night";
import { go, hrefOf } from "../state/route";

const ROWS = 6;
const VENUES = 3;

export function HomeScreen() {
  const person = me.value;
  if (!person) return null;
  return (
    <>
      <Header title={greeting(person.name, now.value)} lead={person.tenant?.name ?? _("Welcome to Last Light")} avatar />
      <NetBanner />
      {person.kind !== "patron" ? <NoBusiness /> : home.value ? <Night /> : <NotLoaded pass rows={4} />}
    </>
  );
}

function Night() {
  const night = home.value!;
  const waiting = [...rejected.value, ...queued.value];
  const recent = night.activity.slice(0, ROWS);
  return (
    <div class="p-home">
      <Pass />
      <HelpButton />
      <Tiles />
      <Ahead />
      <section class="p-block p-recent" aria-labelledby="activity-title">
        <div class="p-sec">
          <h2 id="activity-title">{_("Activity")}</h2>
          {night.activity.length > 0 && <a href={hrefOf("activity")}>{_("See all")}</a>}
        </div>
        {waiting.length || recent.length ? (
          <ul class="acts">
            {rejected.value.map((command) => (
              <RejectedRow key={command.id} command={command} />
            ))}
            {queued.value.map((command) => (
              <QueuedRow key={command.id} command={command} />
            ))}
            {recent.map((item) => (
              <ActivityRow key={item.visit_id + item.kind} item={item} />
            ))}
          </ul>
        ) : (
          <div class="acts">
            <State compact icon="sparkles" title={_("Your first night starts at the door")} text={_("Check in, and what happens shows up here.")} />
          </div>
        )}
      </section>
      <Venues />
    </div>
  );
}

/** Facts at a glance, all from what the server told. */
function Tiles() {
  const night = home.value!;
  return (
    <div class="p-cards">
      <CreditsTile />
      {night.venues.length > 0 && <Places />}
    </div>
  );
}

/** Two facts at a glance, both from what the server told. */
function Places() {
  const night = home.value!;
  const last = night.activity.find((item) => item.kind !== "checked_in");
  const open = night.venues.filter((venue) => venue.is_open && venue.status === "active").length;
  return (
    <>
      <a class="tile" href={hrefOf("activity")}>
        <small>
          <Icon name="moon-star" />
          {_("Last visit")}
        </small>
        <b>{last?.duration_seconds ? span(last.duration_seconds) : "–"}</b>
        <em>{last ? `${when(last.at, now.value, zoneOf(last.venue_id))} · ${last.venue}` : _("Not yet")}</em>
      </a>
      <a class="tile" href={hrefOf("venues")}>
        <small>
          <Icon name="door-open" />
          {_("Open now")}
        </small>
        <b>{_("%(open)s of %(all)s", { open, all: night.venues.length })}</b>
        <meter class="p-meter" min={0} max={night.venues.length} value={open} aria-hidden="true" />
        <em>{night.tenant.name}</em>
      </a>
    </>
  );
}

function Venues() {
  const venues = home.value!.venues.slice(0, VENUES);
  if (!venues.length) return null;
  return (
    <section class="p-block" aria-labelledby="venues-title">
      <div class="p-sec">
        <h2 id="venues-title">{_("Venues")}</h2>
        <a href={hrefOf("venues")}>{_("See all")}</a>
      </div>
      <ul class="acts">
        {venues.map((venue) => (
          <VenueRow key={venue.id} venue={venue} here={present.value?.venueId === venue.id} />
        ))}
      </ul>
    </section>
  );
}

/** Signed in, but nobody's guest: the first scan changes that. */
function NoBusiness() {
  const staff = me.value?.kind === "member" || me.value?.kind === "crew";
  const guestAt = me.value?.places.filter((place) => place.as === "patron") ?? [];
  return (
    <section class="pass" aria-labelledby="pass-title">
      <div>
        <h2 id="pass-title">{staff ? _("You're signed in for work") : _("Find your first door")}</h2>
        <p>
          {staff
            ? _("This browser is signed in as staff. Scan a venue's code to go in as its guest, or choose a business in your profile.")
            : _("Scan the code at a venue. It becomes yours with one tap, and you are in.")}
        </p>
        <button type="button" class="p-btn go" onClick={() => go("scan")}>
          <Icon name="scan-line" />
          {_("Scan a code")}
        </button>
        {guestAt.length > 0 && (
          <a class="p-btn" href={hrefOf("profile")}>
            {_("Choose a business")}
          </a>
        )}
      </div>
    </section>
  );
}

