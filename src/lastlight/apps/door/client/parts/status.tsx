// The bar above the camera: which door, how full the house, what the network is doing.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { clockAhead, identity, inside, now, online, snapshot, waiting } from "../state/door";
import { mute, sound } from "../state/sound";
import { ago } from "./words";

/** What was known is old enough to say so loudly. */
const STALE_MS = 10 * 60_000;
const CLOCK_OFF_MS = 30_000;

export function StatusBar({ onLog, onMenu }: { onLog: () => void; onMenu: () => void }) {
  const device = identity.value!;
  return (
    <header class="d-bar">
      <div class="u-min0">
        <h1>{device.venue}</h1>
        <p>{device.name}</p>
      </div>
      <Occupancy />
      <button type="button" class="btn icon" aria-label={_("Recent scans")} onClick={onLog}>
        <Icon name="list" class="i-lg" />
      </button>
      <button type="button" class="btn icon" aria-label={_("This device")} onClick={onMenu}>
        <Icon name="settings" class="i-lg" />
      </button>
    </header>
  );
}

function Occupancy() {
  const count = inside.value;
  const capacity = snapshot.value?.capacity ?? null;
  if (count === null) return null;
  const full = capacity !== null && count >= capacity;
  return (
    <p class={`d-count ${full ? "full" : ""}`}>
      <b>{count}</b>
      <small>{capacity === null ? _("inside") : full ? _("of %(all)s: full", { all: capacity }) : _("of %(all)s", { all: capacity })}</small>
    </p>
  );
}

/** The state of the network, always in sight. */
export function NetLine() {
  const house = snapshot.value;
  const unsent = waiting.value.length;
  const age = house ? Math.max(0, now.value + clockAhead.value - Date.parse(house.at)) : 0;
  const state = online.value ? "live" : "down";
  return (
    <p class="d-net" data-state={state} data-stale={age > STALE_MS ? "" : undefined} role="status">
      <Icon name={online.value ? "wifi" : "wifi-off"} />
      <span>
        {online.value ? _("Online") : house ? _("Offline, deciding here. Bans and guests known as of %(ago)s.", { ago: ago(age) }) : _("Offline")}
        {sound.value && mute.value && ` · ${_("Touch the screen once: browsers sound only then.")}`}
        {unsent > 0 && ` ${ngettext("%(num)s scan waits.", "%(num)s scans wait.", unsent)}`}
        {Math.abs(clockAhead.value) > CLOCK_OFF_MS && ` ${_("This device's clock is %(seconds)s s off; ours counts.", { seconds: Math.round(Math.abs(clockAhead.value) / 1000) })}`}
      </span>
    </p>
  );
}

// icons: wifi, wifi-off, list, settings
