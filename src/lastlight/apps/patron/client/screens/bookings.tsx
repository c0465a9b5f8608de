// One's own bookings: those ahead, to cancel; and those that are over.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { once } from "../../../../ui/js/wire/once";
import type { OwnBooking } from "../data/types";
import { standing } from "../parts/ahead";
import { Header, NetBanner } from "../parts/frame";
import { SheetIcon } from "../parts/outcome";
import { Skeleton, State } from "../parts/state";
import { say } from "../parts/toast";
import { clock, money, when, zoneOf } from "../parts/words";
import { BOOKINGS, useAnswer } from "../state/answer";
import { online } from "../state/device";
import { home, me, now } from "../state/night";
import { hrefOf } from "../state/route";

export function BookingsScreen() {
  return (
    <>
      <Header title={_("My bookings")} lead={home.value?.tenant.name} back={[hrefOf("venues"), _("All venues")]} />
      <NetBanner />
      {me.value?.kind === "patron" ? (
        <Bookings />
      ) : (
        <div class="acts">
          <State icon="calendar" title={_("No bookings yet")} text={_("Scan a venue's code, and what can be booked there shows up here.")} />
        </div>
      )}
    </>
  );
}

function Bookings() {
  const { answer, at, problem, loading, again } = useAnswer<{ items: OwnBooking[] }>(BOOKINGS);
  const [asked, setAsked] = useState<OwnBooking | null>(null);
  if (loading) return <Skeleton rows={4} />;
  if (!answer) {
    return (
      <div class="acts">
        <State icon="cloud-off" tone="warn" title={_("Your bookings could not be loaded")} text={problem?.detail ?? _("They show up as soon as you are back online.")} />
      </div>
    );
  }
  const ahead = answer.items.filter(standing).reverse();
  const over = answer.items.filter((one) => !standing(one));
  return (
    <>
      {!online.value && at && (
        <p class="u-sm u-2" role="status">
          {_("As of %(time)s. Cancelling needs signal.", { time: when(at, now.value, zoneOf(), true) })}
        </p>
      )}
      {ahead.length ? (
        <ul class="acts" aria-label={_("Coming up")}>
          {ahead.map((one) => (
            <Row key={one.id} booking={one} onCancel={() => setAsked(one)} />
          ))}
        </ul>
      ) : (
        <div class="acts">
          <State icon="calendar" title={_("Nothing booked")} text={_("Open a venue to book a table, a room or a game.")}>
            <a class="btn" href={hrefOf("venues")}>
              {_("See the venues")}
            </a>
          </State>
        </div>
      )}
      {over.length > 0 && (
        <section class="p-block" aria-labelledby="over-title">
          <div class="p-sec">
            <h2 id="over-title">{_("Before")}</h2>
          </div>
          <ul class="acts">
            {over.map((one) => (
              <Row key={one.id} booking={one} />
            ))}
          </ul>
        </section>
      )}
      {asked && <CancelDialog booking={asked} onClose={() => setAsked(null)} again={again} />}
    </>
  );
}

// icons: calendar-check, calendar-x, user-check, check, user-x
const WORDS = {
  booked: () => ["calendar-check", "info", _("Booked")],
  arrived: () => ["user-check", "ok", _("You're here")],
  done: () => ["check", "", _("Done")],
  cancelled: () => ["calendar-x", "", _("Cancelled")],
  no_show: () => ["user-x", "warn", _("Missed")],
} as const;

function Row({ booking, onCancel }: { booking: OwnBooking; onCancel?: () => void }) {
  const [icon, tone, word] = WORDS[booking.status]() as [string, string, string];
  const zone = home.value?.venues.find((venue) => venue.id === booking.venue_id)?.time_zone;
  const price = booking.price_minor !== null && booking.currency ? money(booking.price_minor, booking.currency) : "";
  const people = ngettext("%(num)s person", "%(num)s people", booking.party_size);
  return (
    <li class="p-booking">
      <span class="ic">
        <Icon name={icon} />
      </span>
      <b>
        {booking.resource} · {when(booking.starts_at, now.value, zone)}–{clock(booking.ends_at, zone)}
      </b>
      <small>{[booking.venue, people, price, booking.status_reason].filter(Boolean).join(" · ")}</small>
      <span class="amt u-row">
        <span class={`badge ${tone}`}>
          <Icon name={icon} />
          {word}
        </span>
        {onCancel && booking.status === "booked" && (
          <button type="button" class="btn sm" onClick={onCancel} disabled={!online.value} aria-label={_("Cancel %(what)s", { what: booking.resource })}>
            {_("Cancel")}
          </button>
        )}
      </span>
    </li>
  );
}

function CancelDialog({ booking, onClose, again }: { booking: OwnBooking; onClose: () => void; again: () => Promise<void> }) {
  const { busy, failed, run } = useAttempt();
  const cancel = () =>
    run(async () => {
      await once(`/api/patron/bookings/${booking.id}/cancellation`, {});
      say(_("Cancelled. The time is free for others."));
      onClose();
      await again();
    });
  return (
    <Dialog label={_("Cancel this booking?")} onClose={onClose}>
      <SheetIcon name="calendar-x" tone="warn" />
      <h2>{_("Cancel %(what)s?", { what: booking.resource })}</h2>
      <p>{_("The time is free for others at once.")}</p>
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
      <div class="p-actions">
        <button type="button" class="p-btn danger" onClick={() => void cancel()} aria-busy={busy} disabled={busy}>
          {_("Cancel the booking")}
        </button>
        <button type="button" class="p-btn" onClick={onClose}>
          {_("Keep it")}
        </button>
      </div>
    </Dialog>
  );
}
