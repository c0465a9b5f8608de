// One's own code for the door: it changes every few seconds, so that a picture of it opens nothing. It works without a network.
import { useEffect } from "preact/hooks";
import { keepAwake } from "../../../../ui/js/awake";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { BARRED, type NightPass } from "../data/pass";
import { Header, NetBanner } from "../parts/frame";
import { Qr } from "../parts/qr";
import { Skeleton, State } from "../parts/state";
import { clock, span, zoneOf } from "../parts/words";
import { home, me } from "../state/night";
import { online } from "../state/device";
import { clockAhead, held, showPass, shown, turnCode } from "../state/pass";
import { go } from "../state/route";

const TURN_EVERY_MS = 250;
const CLOCK_OFF_MS = 20_000;

export function PassScreen() {
  const person = me.value;
  const tenant = person?.kind === "patron" ? person.tenant : null;
  useEffect(() => {
    if (person && tenant) void showPass(person.user_id, tenant.id);
  }, [person?.user_id, tenant?.id, online.value]);
  return (
    <>
      <Header title={_("My code")} lead={tenant?.name} />
      <NetBanner />
      {person && tenant ? <Code userId={person.user_id} tenantId={tenant.id} /> : <NoGuest />}
    </>
  );
}

function Code({ userId, tenantId }: { userId: string; tenantId: string }) {
  const again = () => void showPass(userId, tenantId);
  useTurning(again);
  const found = held.value;
  if (!found) return <Skeleton pass rows={1} />;
  if (found.at === "ready") return <ShownCode pass={found.pass} />;
  return <div class="acts">{whyNot(found, again)}</div>;
}

/** The code turns by the server's clock; the screen stays on while it is shown. */
function useTurning(onOver: () => void): void {
  useEffect(() => {
    let busy = false;
    const turn = async () => {
      if (busy) return;
      busy = true;
      if (await turnCode().finally(() => (busy = false))) onOver();
    };
    const timer = setInterval(() => void turn(), TURN_EVERY_MS);
    const awake = keepAwake();
    return () => {
      clearInterval(timer);
      awake();
    };
  }, []);
}

function ShownCode({ pass }: { pass: NightPass }) {
  const code = shown.value;
  if (!code) return <Skeleton pass rows={1} />;
  const seconds = Math.ceil(code.leftMs / 1000);
  const name = home.value?.patron.name ?? me.value?.name ?? "";
  return (
    <section class="p-code" aria-labelledby="code-title">
      <div class="p-code-card">
        <Qr text={code.text} label={_("Your code for the door")} />
        <div class="p-code-turn">
          <meter class="p-meter" min={0} max={pass.step_ms} value={code.leftMs} aria-hidden="true" />
          <small>{_("New code in %(seconds)s s", { seconds })}</small>
        </div>
      </div>
      <h2 id="code-title">{name}</h2>
      <p>{_("Hold it out at the door, coming in or leaving. It changes by itself: a picture of it opens nothing.")}</p>
      <ul class="p-hints">
        <li>
          <Icon name="sun" />
          {_("Turn the brightness all the way up")}
        </li>
        <li>
          <Icon name="moon-star" />
          {_("Good until %(time)s", { time: clock(pass.expires_at, zoneOf()) })}
          {online.value ? "" : ` · ${_("also without signal")}`}
        </li>
        {Math.abs(clockAhead.value) > CLOCK_OFF_MS && (
          <li class="warn">
            <Icon name="clock-alert" />
            {clockText(clockAhead.value)}
          </li>
        )}
      </ul>
    </section>
  );
}

function clockText(aheadMs: number): string {
  const off = Math.abs(aheadMs) < 60_000 ? _("%(seconds)s s", { seconds: Math.round(Math.abs(aheadMs) / 1000) }) : span(Math.abs(aheadMs) / 1000);
  return aheadMs > 0
    ? _("Your phone's clock is %(off)s slow. The code goes by ours; set the phone's clock to automatic all the same.", { off })
    : _("Your phone's clock is %(off)s fast. The code goes by ours; set the phone's clock to automatic all the same.", { off });
}

// icons: cloud-off, moon-star, circle-x, lock
function whyNot(found: Exclude<NonNullable<typeof held.value>, { at: "ready" }>, again: () => void) {
  const retry = (
    <button type="button" class="btn" onClick={again}>
      {_("Try again")}
    </button>
  );
  if (found.at === "unsigned") {
    return <State icon="lock" tone="warn" title={_("This browser cannot make a code")} text={_("Open Last Light over https in your phone's own browser. Until then, scan the venue's code to check in.")} />;
  }
  if (found.at === "refused") {
    const barred = BARRED.has(found.problem.type);
    return (
      <State icon="circle-x" tone="danger" title={barred ? _("You have no code here") : found.problem.title} text={found.problem.detail}>
        {!barred && retry}
      </State>
    );
  }
  if (found.at === "over") {
    return (
      <State icon="moon-star" tone="warn" title={_("Your pass has ended")} text={_("Each pass is for one night. A new one comes by itself as soon as you have signal.")}>
        {retry}
      </State>
    );
  }
  return (
    <State icon="cloud-off" tone="warn" title={_("No pass on this phone yet")} text={_("It needs signal once; after that your code works all night without. You can scan the venue's code meanwhile.")}>
      {retry}
    </State>
  );
}

function NoGuest() {
  return (
    <div class="acts">
      <State icon="qr-code" title={_("A code of your own comes with your first door")} text={_("Scan a venue's code once. After that you have one to show, at every door of that business.")}>
        <button type="button" class="btn" onClick={() => go("scan")}>
          {_("Scan a code")}
        </button>
      </State>
    </div>
  );
}
