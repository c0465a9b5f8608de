// Booking something for oneself: a day, how long, how many people, then one of the times that are free.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Alert } from "../../../../ui/js/parts/field";
import { call, isOpen } from "../../../../ui/js/wire/api";
import { once } from "../../../../ui/js/wire/once";
import type { Offer, Offers, OwnBooking, Times, VenueShow } from "../data/types";
import { online } from "../state/device";
import { pullAnew } from "../state/night";
import { go } from "../state/route";
import { say } from "./toast";
import { clock, dayName, money, span } from "./words";

interface Props {
  offer: Offer;
  venue: VenueShow;
  limits: Offers;
  onClose: () => void;
}

export function BookDialog({ offer, venue, limits, onClose }: Props) {
  const [day, setDay] = useState(venue.business_day);
  const [minutes, setMinutes] = useState(Math.min(Math.max(60, offer.shortest_minutes), offer.longest_minutes));
  const [people, setPeople] = useState(Math.min(2, offer.capacity ?? 2));
  const [start, setStart] = useState("");
  const { times, failed: unread, read } = useTimes(offer, day, minutes);
  const { busy, failed, run } = useAttempt();
  useEffect(() => setStart(""), [day, minutes]);
  const book = () =>
    run(async () => {
      const ends = new Date(Date.parse(start) + minutes * 60_000).toISOString();
      const body = { resource_id: offer.id, starts_at: start, ends_at: ends, party_size: people };
      try {
        await once<OwnBooking>("/api/patron/bookings", body);
      } catch (error) {
        if (!isOpen(error)) {
          setStart("");
          await read();
        }
        throw error;
      }
      say(_("Booked: %(name)s, %(day)s at %(time)s.", { name: offer.name, day: dayName(day), time: clock(start, venue.time_zone) }));
      onClose();
      void pullAnew();
      go("bookings");
    });
  return (
    <Dialog label={_("Book %(name)s", { name: offer.name })} onClose={onClose}>
      <form
        class="p-book"
        onSubmit={(event) => {
          event.preventDefault();
          void book();
        }}
      >
        <h2>{_("Book %(name)s", { name: offer.name })}</h2>
        <Alert text={failed} />
        <div class="p-cards">
          <div class="field">
            <label for="book-day">{_("Day")}</label>
            <input class="input" id="book-day" type="date" value={day} min={venue.business_day} max={later(venue.business_day, limits.furthest_ahead_days)} required onInput={(event) => event.currentTarget.value && setDay(event.currentTarget.value)} />
          </div>
          <div class="field">
            <label for="book-length">{_("For")}</label>
            <select class="input" id="book-length" value={String(minutes)} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
              {lengthsOf(offer).map((length) => (
                <option key={length} value={String(length)}>
                  {span(length * 60)}
                </option>
              ))}
            </select>
          </div>
        </div>
        <div class="field">
          <label for="book-people">{_("People")}</label>
          <input class="input" id="book-people" type="number" inputMode="numeric" min={1} max={offer.capacity ?? 100} value={people} required onInput={(event) => setPeople(Math.max(1, Number(event.currentTarget.value) || 1))} />
          {offer.capacity && <span class="hint">{_("It takes %(number)s.", { number: offer.capacity })}</span>}
        </div>
        <Starts times={times} failed={unread} chosen={start} onChoose={setStart} day={day} read={() => void read()} />
        <p class="u-sm u-2" aria-live="polite">
          {start && times?.price ? _("%(price)s, paid at the venue.", { price: money(times.price.amount, times.price.currency) }) : ""}
        </p>
        <div class="p-actions">
          <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy || !start || !online.value}>
            <Icon name="calendar-check" />
            {start ? _("Book %(time)s", { time: `${clock(start, venue.time_zone)} – ${clock(Date.parse(start) + minutes * 60_000, venue.time_zone)}` }) : _("Choose a time")}
          </button>
          <button type="button" class="p-btn" onClick={onClose}>
            {_("Cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface StartsProps {
  times: Times | null;
  failed: boolean;
  chosen: string;
  onChoose: (start: string) => void;
  day: string;
  read: () => void;
}

function Starts({ times, failed, chosen, onChoose, day, read }: StartsProps) {
  return (
    <fieldset class="p-starts" aria-busy={!times && !failed}>
      <legend>{_("From")}</legend>
      {failed ? (
        <p class="u-sm u-2" role="status">
          {_("The free times could not be loaded.")}{" "}
          <button type="button" class="btn sm" onClick={read}>
            {_("Try again")}
          </button>
        </p>
      ) : !times ? (
        <p class="u-sm u-2" role="status">
          {_("Looking for free times …")}
        </p>
      ) : !times.starts.length ? (
        <p class="u-sm u-2" role="status">
          {_("Nothing is free on %(day)s for as long. Choose another day or a shorter time.", { day: dayName(day, "long") })}
        </p>
      ) : (
        <div class="p-chips">
          {times.starts.map((one) => (
            <label key={one} class="chip">
              <input type="radio" name="start" class="sr" value={one} checked={one === chosen} onChange={() => onChoose(one)} />
              {clock(one, times.time_zone)}
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}

function useTimes(offer: Offer, day: string, minutes: number) {
  const asked = `/api/patron/resources/${offer.id}/times?day=${day}&minutes=${minutes}`;
  const [known, setKnown] = useState<{ asked: string; times: Times | null }>({ asked: "", times: null });
  const read = async () => {
    const times = await call<Times>(asked).catch(() => null);
    setKnown((now) => (now.asked === "" || now.asked !== asked || times ? { asked, times } : now));
  };
  useEffect(() => {
    let here = true;
    void call<Times>(asked)
      .catch(() => null)
      .then((times) => here && setKnown({ asked, times }));
    return () => {
      here = false;
    };
  }, [asked, online.value]);
  const mine = known.asked === asked;
  return { times: mine ? known.times : null, failed: mine && known.times === null, read };
}

function lengthsOf(offer: Offer): number[] {
  const usual = [15, 30, 45, 60, 90, 120, 150, 180, 240, 300, 360].filter((length) => length >= offer.shortest_minutes && length <= offer.longest_minutes);
  return [...new Set([...usual, offer.shortest_minutes, offer.longest_minutes, Math.min(Math.max(60, offer.shortest_minutes), offer.longest_minutes)])].sort((a, b) => a - b);
}

function later(day: string, days: number): string {
  const date = new Date(`${day}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}
