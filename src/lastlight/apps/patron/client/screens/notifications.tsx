// Whether this phone is told things when the app is closed, and which: safety checks, bookings.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { type Device, type Standing, standing, switchOff, switchOn } from "../../../../ui/js/push/device";
import { call } from "../../../../ui/js/wire/api";
import { say } from "../parts/toast";
import { savePreferences } from "../state/account";
import { online } from "../state/device";
import { me } from "../state/night";
import { patronWorker, rememberPush } from "../state/push";

export function Notifications() {
  const [state, setState] = useState<Standing | null>(null);
  const [device, setDevice] = useState<Device | undefined>();
  const { busy, failed, run } = useAttempt();
  const look = async () => {
    const found = await standing(patronWorker);
    setDevice(found.devices.find((one) => one.current));
    setState(found.standing);
  };
  useEffect(() => {
    if (online.value) void run(look);
  }, [online.value]);
  const on = () =>
    run(async () => {
      const made = await switchOn(patronWorker);
      if (made) await rememberPush(true);
      say(made ? _("This phone is told from now on.") : _("The browser did not allow it. You can ask again whenever you like."));
      await look();
    });
  const off = () =>
    run(async () => {
      if (device) await switchOff(patronWorker, device.id);
      await rememberPush(false);
      await look();
    });
  const test = () =>
    run(async () => {
      if (device) await call(`/api/me/push-subscriptions/${device.id}/test`, { method: "POST" });
      say(_("It is on its way."));
    });
  const locked = busy || !online.value;
  return (
    <section class="p-block" aria-labelledby="notifications-title">
      <div class="p-sec">
        <h2 id="notifications-title">{_("Notifications")}</h2>
      </div>
      <div class="p-card form">
        <p>{WORDS[state ?? "off"]()}</p>
        {state === "off" && (
          <button type="button" class="btn primary" disabled={locked} onClick={() => void on()}>
            <Icon name="bell" />
            {_("Switch on here")}
          </button>
        )}
        {state === "on" && (
          <div class="u-row">
            <button type="button" class="btn" disabled={locked} onClick={() => void off()}>
              <Icon name="bell-off" />
              {_("Switch off here")}
            </button>
            <button type="button" class="btn" disabled={locked} onClick={() => void test()}>
              {_("Send a test")}
            </button>
          </div>
        )}
        <Kinds locked={locked} />
        {!online.value && <p class="hint u-xs u-dim">{_("Notifications need signal to be changed.")}</p>}
        {failed && (
          <p class="p-failed" role="alert">
            {failed}
          </p>
        )}
      </div>
    </section>
  );
}

const WORDS: Record<Standing, () => string> = {
  on: () => _("This phone is told when a venue asks whether you are all right, and about your bookings."),
  off: () => _("A venue can ask whether you are all right, also when this app is closed. Switch it on, and the browser asks you once."),
  blocked: () => _("This browser blocks notifications of Last Light. Open the site's settings beside the address, allow notifications, and load the app again."),
  "home-screen": () => _("On an iPhone, notifications come to the installed app only: share this page, choose “Add to Home Screen”, and open it from there."),
  unsupported: () => _("This browser cannot be told anything. Current versions of Chrome, Edge, Firefox and Safari can."),
};

const KINDS: [string, () => string][] = [
  ["safety_checks", () => _("Safety checks")],
  ["bookings", () => _("Bookings")],
];

function Kinds({ locked }: { locked: boolean }) {
  const { busy, failed, run } = useAttempt();
  const now = me.value!.preferences;
  const change = (kind: string, wanted: boolean) =>
    void run(async () => {
      const { language, time_zone, theme } = now;
      await savePreferences({ language, time_zone, theme, notifications: { ...now.notifications, [kind]: wanted } });
      say(_("Saved."));
    });
  return (
    <>
      {KINDS.map(([kind, label]) => (
        <div key={kind} class="choice">
          <input
            id={`told-${kind}`}
            type="checkbox"
            role="switch"
            class="switch"
            checked={now.notifications[kind] ?? true}
            disabled={locked || busy}
            onChange={(event) => change(kind, event.currentTarget.checked)}
          />
          <label for={`told-${kind}`}>{label()}</label>
        </div>
      ))}
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
    </>
  );
}
