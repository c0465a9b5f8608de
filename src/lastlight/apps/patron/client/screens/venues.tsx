// The venues of the business: open or not, where, and how old one must be.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Header, NetBanner } from "../parts/frame";
import { VenueRow } from "../parts/lists";
import { NotLoaded, State } from "../parts/state";
import { home, me, present } from "../state/night";
import { hrefOf } from "../state/route";

export function VenuesScreen() {
  const night = home.value;
  const [open, shut] = [true, false].map((wanted) =>
    (night?.venues ?? []).filter((venue) => (venue.is_open && venue.status === "active") === wanted),
  ) as [NonNullable<typeof night>["venues"], NonNullable<typeof night>["venues"]];
  return (
    <>
      <Header title={_("Venues")} lead={night?.tenant.name}>
        {me.value?.kind === "patron" && (
          <a class="btn" href={hrefOf("bookings")}>
            <Icon name="calendar-check" />
            {_("My bookings")}
          </a>
        )}
      </Header>
      <NetBanner />
      {me.value?.kind !== "patron" ? (
        <div class="acts">
          <State icon="map-pin" title={_("No venues yet")} text={_("Scan a venue's code, and its business's venues show up here.")} />
        </div>
      ) : !night ? (
        <NotLoaded rows={5} />
      ) : !night.venues.length ? (
        <div class="acts">
          <State icon="map-pin" title={_("No venues yet")} text={_("%(tenant)s has not opened one.", { tenant: night.tenant.name })} />
        </div>
      ) : (
        <>
          <Group title={_("Open now")} venues={open} />
          <Group title={_("Closed")} venues={shut} />
        </>
      )}
    </>
  );

  function Group({ title, venues }: { title: string; venues: typeof open }) {
    if (!venues.length) return null;
    return (
      <section class="p-block">
        <div class="p-sec">
          <h2>{title}</h2>
        </div>
        <ul class="acts">
          {venues.map((venue) => (
            <VenueRow key={venue.id} venue={venue} here={present.value?.venueId === venue.id} />
          ))}
        </ul>
      </section>
    );
  }
}
