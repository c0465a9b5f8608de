// This device: who is signed in, sound, light or dark, and taking it off the door.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { forgetDevice, identity, member, online, snapshot, sync, waiting } from "../state/door";
import { setTheme, theme } from "../state/look";
import { setSound, sound } from "../state/sound";
import { clock } from "./words";

export function MenuSheet({ onClose }: { onClose: () => void }) {
  const [leaving, setLeaving] = useState(false);
  const device = identity.value!;
  const house = snapshot.value;
  if (leaving) return <Leave onBack={() => setLeaving(false)} />;
  return (
    <Dialog label={_("This device")} onClose={onClose} class="d-sheet">
      <h2>{device.name}</h2>
      <dl class="d-kv">
        <dt>{_("Venue")}</dt>
        <dd>{device.venue}</dd>
        <dt>{_("Signed in")}</dt>
        <dd>{member.value?.name ?? <a href="/sign-in?next=/staff/door">{_("Nobody. Sign in")}</a>}</dd>
        <dt>{_("Last heard")}</dt>
        <dd>{house ? clock(house.at) : "–"}</dd>
      </dl>
      <div class="d-switches">
        <button type="button" class="d-btn" aria-pressed={sound.value} onClick={() => void setSound(!sound.value)}>
          <Icon name={sound.value ? "volume-2" : "volume-x"} />
          {sound.value ? _("Sound on") : _("Sound off")}
        </button>
        <button type="button" class="d-btn" onClick={() => void setTheme(theme.value === "dark" ? "light" : "dark")}>
          <Icon name={theme.value === "dark" ? "sun" : "moon"} />
          {theme.value === "dark" ? _("Light") : _("Dark")}
        </button>
        <button type="button" class="d-btn" onClick={() => void sync()}>
          <Icon name="refresh-cw" />
          {_("Ask the server now")}
        </button>
        <a class="d-btn" href="/staff">
          <Icon name="arrow-left" />
          {_("To the staff app")}
        </a>
        <button type="button" class="d-btn danger" onClick={() => setLeaving(true)}>
          <Icon name="trash-2" />
          {_("Take off this door")}
        </button>
      </div>
      <button type="button" class="d-btn strong" onClick={onClose}>
        {_("Back to the door")}
      </button>
    </Dialog>
  );
}

// icons: volume-2, volume-x, sun, moon, refresh-cw, arrow-left, trash-2
function Leave({ onBack }: { onBack: () => void }) {
  const unsent = waiting.value.length;
  const device = identity.value!;
  return (
    <Dialog label={_("Take off this door")} onClose={onBack} class="d-sheet">
      <h2>{_("Take %(name)s off this door?", { name: device.name })}</h2>
      <p>
        {_("Its key and its log are wiped from here. To scan again it needs a new one-time code.")}{" "}
        {unsent > 0 && <strong>{ngettext("%(num)s scan was never sent and would be lost.", "%(num)s scans were never sent and would be lost.", unsent)}</strong>}
      </p>
      {unsent > 0 && online.value && (
        <button type="button" class="d-btn strong" onClick={() => void sync()}>
          {_("Send them first")}
        </button>
      )}
      <button type="button" class="d-btn danger" onClick={() => void forgetDevice()}>
        {_("Wipe this device")}
      </button>
      <button type="button" class="d-btn" onClick={onBack}>
        {_("Keep it")}
      </button>
    </Dialog>
  );
}
