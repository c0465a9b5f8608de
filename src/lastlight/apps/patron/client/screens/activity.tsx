// Activity: what waits on this phone, what was refused, and every night back to the first.
import { useEffect, useState } from "preact/hooks";
import { gettext as _ } from "../../../../ui/js/i18n";
import { call, Refused } from "../../../../ui/js/wire/api";
import type { Activity, ActivityPage } from "../data/types";
import { Header, NetBanner } from "../parts/frame";
import { ActivityRow, QueuedRow, RejectedRow } from "../parts/lists";
import { Skeleton, State } from "../parts/state";
import { dayOf, zoneOf } from "../parts/words";
import { home, me, now, queued, rejected } from "../state/night";
import { go } from "../state/route";

const PAGE = 30;

export function ActivityScreen() {
  const { items, more, failed, loading, load } = useActivity();
  const waiting = queued.value.length + rejected.value.length;
  return (
    <>
      <Header title={_("Activity")} lead={home.value?.tenant.name} />
      <NetBanner />
      {waiting > 0 && (
        <section class="p-block" aria-labelledby="waiting-title">
          <div class="p-sec">
            <h2 id="waiting-title">{_("On this phone")}</h2>
          </div>
          <ul class="acts">
            {rejected.value.map((command) => (
              <RejectedRow key={command.id} command={command} />
            ))}
            {queued.value.map((command) => (
              <QueuedRow key={command.id} command={command} />
            ))}
          </ul>
        </section>
      )}
      {!items.length && loading ? <Skeleton rows={6} /> : <Days items={items} />}
      {!items.length && !loading && !waiting && (
        <div class="acts">
          <State icon="receipt-text" title={_("Nothing yet")} text={_("Your check-ins and visits are listed here, the newest first.")}>
            <button type="button" class="btn" onClick={() => go("scan")}>
              {_("Scan a code")}
            </button>
          </State>
        </div>
      )}
      {failed && <p class="u-sm u-2" role="status">{failed}</p>}
      {more && (
        <button type="button" class="p-btn" onClick={() => void load()} aria-busy={loading === "older"} disabled={loading === "older"}>
          {_("Show earlier nights")}
        </button>
      )}
    </>
  );
}

/** The phone's memory first, then the server's pages. */
function useActivity() {
  const [{ items: older, next }, setKnown] = useState<ActivityPage>({ items: [], next: null });
  const [loading, setLoading] = useState<"" | "newest" | "older">(me.value?.kind === "patron" ? "newest" : "");
  const [failed, setFailed] = useState("");
  const fresh = home.value?.activity;
  const read = async (before: string | null) => {
    setLoading(before ? "older" : "newest");
    try {
      const from = before ? `&before=${encodeURIComponent(before)}` : "";
      const page = await call<ActivityPage>(`/api/patron/activity?limit=${PAGE}${from}`);
      setKnown((known) => (before ? extended(known, page) : refreshed(known, page)));
      setFailed("");
    } catch (error) {
      setFailed(error instanceof Refused ? error.problem.detail : _("Earlier nights need signal; these are on this phone."));
    } finally {
      setLoading("");
    }
  };
  useEffect(() => {
    if (me.value?.kind === "patron") void read(null);
  }, [fresh?.[0]?.at, fresh?.length]);
  const items = older.length ? older : (fresh ?? []);
  return { items, more: next !== null, failed, loading, load: () => read(next) };
}

function extended(known: ActivityPage, older: ActivityPage): ActivityPage {
  const names = new Set(known.items.map(nameOf));
  return { items: [...known.items, ...older.items.filter((item) => !names.has(nameOf(item)))], next: older.next };
}

function nameOf(item: Activity): string {
  return item.visit_id + item.kind;
}

/** The newest page anew, with what was read beyond it. */
function refreshed(known: ActivityPage, newest: ActivityPage): ActivityPage {
  const end = newest.items.at(-1);
  const beyond = end && newest.next ? known.items.filter((item) => Date.parse(item.at) < Date.parse(end.at)) : [];
  return beyond.length ? { items: [...newest.items, ...beyond], next: known.next } : newest;
}

function Days({ items }: { items: Activity[] }) {
  const days = new Map<string, Activity[]>();
  for (const item of items) {
    const day = dayOf(item.at, now.value, zoneOf(item.venue_id));
    days.set(day, [...(days.get(day) ?? []), item]);
  }
  return (
    <div class="p-days">
      {[...days].map(([day, lines]) => (
        <section class="p-block" key={day}>
          <div class="p-sec">
            <h2>{day}</h2>
          </div>
          <ul class="acts">
            {lines.map((item) => (
              <ActivityRow key={nameOf(item)} item={item} timeOnly />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
