// The bookings that are ahead, on the first page: only while there are any.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { OwnBooking } from "../data/types";
import { BOOKINGS, useAnswer } from "../state/answer";
import { home, now } from "../state/night";
import { hrefOf } from "../state/route";
import { clock, when } from "./words";

const SHOWN = 2;

/** Whether a booking is still to come, or is being used. */
export function standing(booking: OwnBooking): boolean {
  return booking.status === "arrived" || (booking.status === "booked" && Date.parse(booking.ends_at) > now.value);
}

export function Ahead() {
  const { answer } = useAnswer<{ items: OwnBooking[] }>(BOOKINGS);
  const ahead = (answer?.items ?? []).filter(standing).reverse();
  if (!ahead.length) return null;
  return (
    <section class="p-block" aria-labelledby="ahead-title">
      <div class="p-sec">
        <h2 id="ahead-title">{_("Booked")}</h2>
        <a href={hrefOf("bookings")}>{_("See all")}</a>
      </div>
      <ul class="acts">
        {ahead.slice(0, SHOWN).map((one) => {
          const zone = home.value?.venues.find((venue) => venue.id === one.venue_id)?.time_zone;
          return (
            <li key={one.id}>
              <span class="ic">
                <Icon name="calendar-check" />
              </span>
              <b>
                <a class="p-cover" href={hrefOf("bookings")}>
                  {one.resource}
                </a>
              </b>
              <small>
                {one.venue} · {when(one.starts_at, now.value, zone)}–{clock(one.ends_at, zone)}
              </small>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
