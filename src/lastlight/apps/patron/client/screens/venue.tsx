// One venue as its guests see it: pictures, what is on, what is not as usual, hours, and what can be booked.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import type { Offer, Offers, ShownImage, VenueShow } from "../data/types";
import { BookDialog } from "../parts/book";
import { Header, NetBanner } from "../parts/frame";
import { Photos } from "../parts/photos";
import { Skeleton, State } from "../parts/state";
import { clock, money, when } from "../parts/words";
import { useAnswer } from "../state/answer";
import { online } from "../state/device";
import { home, now } from "../state/night";
import { hrefOf, thing } from "../state/route";

export function VenueScreen() {
  const id = thing.value;
  const { answer: show, at, problem, loading, again } = useAnswer<VenueShow>(`/api/patron/venues/${id}`);
  const name = show?.name ?? home.value?.venues.find((venue) => venue.id === id)?.name ?? _("Venue");
  return (
    <>
      <Header title={name} lead={home.value?.tenant.name} back={[hrefOf("venues"), _("All venues")]} />
      <NetBanner />
      {show ? (
        <div class="p-venue">
          <Notices show={show} at={at} />
          <Pictures images={show.images} />
          <div class="p-column">
            <Banners show={show} />
            <Lends venue={show} />
          </div>
          <div class="p-column">
            <Entrance id={show.id} />
            <Hours show={show} />
            <Place show={show} />
            <Photos show={show} again={again} />
          </div>
        </div>
      ) : loading ? (
        <Skeleton rows={6} />
      ) : (
        <div class="acts">
          {problem ? (
            <State icon="map-pin-off" title={_("This venue is not there")} text={_("It may be closed for now. The others are still open to you.")} />
          ) : (
            <State icon="cloud-off" tone="warn" title={_("This venue could not be loaded")} text={_("It shows up as soon as you are back online.")} />
          )}
        </div>
      )}
    </>
  );
}

/** What is not as usual, and how old what is shown is while there is no network. */
function Notices({ show, at }: { show: VenueShow; at: number | null }) {
  return (
    <>
      {!online.value && at && (
        <p class="u-sm u-2" role="status">
          {_("As of %(time)s. Booking and sending photos need signal.", { time: when(at, now.value, show.time_zone, true) })}
        </p>
      )}
      {show.degraded_reason && (
        <div class="net" role="note">
          <Icon name="triangle-alert" class="i-lg" />
          <span>
            <b>{_("Not as usual.")}</b> <span class="sub">{show.degraded_reason}</span>
          </span>
        </div>
      )}
    </>
  );
}

// icons: triangle-alert, map-pin-off, cloud-off
function Pictures({ images }: { images: ShownImage[] }) {
  if (!images.length) return null;
  return (
    <ul class="p-pictures" tabIndex={0} aria-label={_("Pictures")}>
      {images.map((image, index) => (
        <li key={image.id}>
          <img src={index ? image.small : image.large} alt={image.alt} loading={index ? "lazy" : "eager"} />
        </li>
      ))}
    </ul>
  );
}

function Banners({ show }: { show: VenueShow }) {
  if (!show.banners.length) return null;
  return (
    <section class="p-block" aria-labelledby="banners-title">
      <div class="p-sec">
        <h2 id="banners-title">{_("What's on")}</h2>
      </div>
      {show.banners.map((banner) => (
        <article class="p-card p-promo" key={banner.id}>
          {banner.image && <img src={banner.image.small} alt={banner.image.alt} loading="lazy" />}
          <div>
            <h3>{banner.title}</h3>
            {banner.body && <p>{banner.body}</p>}
            {banner.link && (
              <a href={banner.link} target="_blank" rel="noopener noreferrer nofollow">
                <Icon name="external-link" />
                {_("More on %(site)s", { site: new URL(banner.link).hostname })}
                <span class="sr">{_("(leaves the app)")}</span>
              </a>
            )}
          </div>
        </article>
      ))}
    </section>
  );
}

/** What coming in costs: taken from the credits at the door. */
function Entrance({ id }: { id: string }) {
  const price = home.value?.venues.find((venue) => venue.id === id)?.entrance;
  if (!price) return null;
  return (
    <section class="p-block" aria-labelledby="entrance-title">
      <div class="p-sec">
        <h2 id="entrance-title">{_("Entrance")}</h2>
      </div>
      <div class="p-card">
        <p class="u-row">
          <Icon name="wallet" />
          <b>{money(price.amount, price.currency)}</b>
          <span class="u-sm u-2">{_("Taken from your credits when you come in.")}</span>
        </p>
      </div>
    </section>
  );
}

function Hours({ show }: { show: VenueShow }) {
  const names: Record<string, string> = { mon: _("Monday"), tue: _("Tuesday"), wed: _("Wednesday"), thu: _("Thursday"), fri: _("Friday"), sat: _("Saturday"), sun: _("Sunday") };
  const state = show.status === "paused" ? _("Takes no guests at the moment") : show.is_open ? openLine(show) : show.opens_at ? _("Opens %(time)s", { time: when(show.opens_at, now.value, show.time_zone, true) }) : _("Closed");
  return (
    <section class="p-block" aria-labelledby="hours-title">
      <div class="p-sec">
        <h2 id="hours-title">{_("Opening hours")}</h2>
      </div>
      <div class="p-card">
        <p class="u-row">
          <span class={`badge ${show.is_open ? "ok" : ""}`}>
            <Icon name={show.is_open ? "door-open" : "door-closed"} />
            {show.is_open ? _("Open") : _("Closed")}
          </span>
          <span class="u-sm u-2">{state}</span>
        </p>
        {!show.always_open && (
          <dl class="p-hours">
            {show.hours.map(({ day, spans }) => (
              <div key={day}>
                <dt>{names[day]}</dt>
                <dd>{spans.length ? spans.map((span) => span.replace("-", " – ")).join(", ") : _("closed")}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </section>
  );
}

/** The whole address, and the way there. */
function Place({ show }: { show: VenueShow }) {
  if (!show.address) return null;
  return (
    <section class="p-block" aria-labelledby="place-title">
      <div class="p-sec">
        <h2 id="place-title">{_("Where it is")}</h2>
      </div>
      <div class="p-card p-place">
        <address>{show.address}</address>
        <a class="btn" href={`https://www.openstreetmap.org/search?query=${encodeURIComponent(show.address)}`} target="_blank" rel="noopener noreferrer">
          <Icon name="map-pin" />
          {_("Open a map")}
          <span class="sr">{_("(leaves the app)")}</span>
        </a>
      </div>
    </section>
  );
}

// icons: door-open, door-closed
function openLine(show: VenueShow): string {
  if (show.closes_at) return _("Open until %(time)s", { time: clock(show.closes_at, show.time_zone) });
  return show.always_open ? _("Always open") : "";
}

const ICONS = { game: "gamepad-2", room: "mic-vocal", table: "armchair" } as const;

// icons: gamepad-2, mic-vocal, armchair, calendar-plus
function Lends({ venue }: { venue: VenueShow }) {
  const { answer: offers, loading } = useAnswer<Offers>(`/api/patron/venues/${venue.id}/resources`);
  const [chosen, setChosen] = useState<Offer | null>(null);
  if (loading) return <Skeleton rows={4} />;
  if (!offers?.items.length) return null;
  const kinds: [Offer["kind"], string][] = [
    ["table", _("Tables")],
    ["room", _("Rooms")],
    ["game", _("Games")],
  ];
  return (
    <>
      {kinds.map(([kind, title]) => {
        const items = offers.items.filter((one) => one.kind === kind);
        if (!items.length) return null;
        return (
          <section class="p-block" key={kind} aria-labelledby={`kind-${kind}`}>
            <div class="p-sec">
              <h2 id={`kind-${kind}`}>{title}</h2>
            </div>
            <ul class="acts">
              {items.map((offer) => (
                <OfferRow key={offer.id} offer={offer} may={offers.most_of_guest > 0 && venue.status === "active"} onBook={() => setChosen(offer)} />
              ))}
            </ul>
          </section>
        );
      })}
      {chosen && <BookDialog offer={chosen} venue={venue} limits={offers} onClose={() => setChosen(null)} />}
    </>
  );
}

function OfferRow({ offer, may, onBook }: { offer: Offer; may: boolean; onBook: () => void }) {
  const price = offer.price && (offer.price.unit === "hour" ? _("%(price)s an hour", { price: money(offer.price.amount, offer.currency) }) : _("%(price)s a play", { price: money(offer.price.amount, offer.currency) }));
  const people = offer.capacity ? ngettext("for %(num)s person", "up to %(num)s people", offer.capacity) : "";
  return (
    <li>
      <span class="ic">
        <Icon name={ICONS[offer.kind]} />
      </span>
      <b>{offer.name}</b>
      <small>{[price, people, offer.zone].filter(Boolean).join(" · ")}</small>
      <span class="amt">
        {offer.status !== "available" ? (
          <span class="badge warn">
            <Icon name="wrench" />
            {offer.status === "maintenance" ? _("In maintenance") : _("Out of order")}
          </span>
        ) : offer.bookable && may ? (
          <button type="button" class="btn" onClick={onBook} disabled={!online.value} aria-label={_("Book %(name)s", { name: offer.name })}>
            <Icon name="calendar-plus" />
            {_("Book")}
          </button>
        ) : (
          <span class="u-xs u-dim">{_("No booking needed")}</span>
        )}
      </span>
    </li>
  );
}
