// What became of a scan, where it needs the person: another business, the position, a refusal. Good news needs no dialog.
import { useEffect } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { Charged } from "../data/types";
import { finish, flow, joinAndCheckIn, tryPositionAgain, type Flow } from "../state/checkin";
import { me, mustSignIn, queued } from "../state/night";
import { go, hrefOf, view } from "../state/route";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { say } from "./toast";
import { money } from "./words";

export function Outcome() {
  const now = flow.value;
  useEffect(() => {
    if (now.step === "done") arrived(doneText(now.venueName, now.charged));
    if (now.step === "left") arrived(_("You're checked out. Get home safe."));
    if (now.step === "saved") arrived(savedText(), "warn", () => queued.value.length > 0);
  }, [now]);
  if (now.step === "offer") return <Offer flow={now} />;
  if (now.step === "position") return <PositionHelp flow={now} />;
  if (now.step === "unkept") return <Unkept flow={now} />;
  if (now.step === "refused") return <Refusal flow={now} />;
  if (now.step === "working" && now.doing !== "leaving" && view.value !== "scan") return <Working doing={now.doing} />;
  return null;
}

function doneText(name: string | null, charged: Charged | null): string {
  const venue = name ?? _("the venue");
  if (charged?.status !== "paid") return _("You're checked in at %(venue)s.", { venue });
  return _("You're checked in at %(venue)s. %(amount)s was paid from your credits.", { venue, amount: money(charged.amount, charged.currency) });
}

function savedText(): string {
  return mustSignIn.value ? _("Saved on this phone. Sign in to send it.") : _("Saved on this phone. It is sent when you have signal.");
}

function arrived(text: string, tone: "ok" | "warn" = "ok", holds?: () => boolean): void {
  say(text, tone, holds);
  navigator.vibrate?.(tone === "ok" ? [30, 40, 30] : 60);
  finish();
  go("home", { replace: view.value === "scan" || view.value === "code" });
}

export function workingText(doing: "checking" | "locating" | "joining" | "leaving"): string {
  return {
    checking: _("Checking the code…"),
    locating: _("Finding your position…"),
    joining: _("Setting you up…"),
    leaving: _("Checking you out…"),
  }[doing];
}

function Working({ doing }: { doing: "checking" | "locating" | "joining" }) {
  return (
    <Dialog label={workingText(doing)} onClose={() => undefined} class="sheet slim">
      <div class="p-working" role="status">
        <span class="p-spinner" aria-hidden="true" />
        {workingText(doing)}
      </div>
    </Dialog>
  );
}

function Offer({ flow: { code, place, claimedAt } }: { flow: Extract<Flow, { step: "offer" }> }) {
  const known = me.value?.places.some((one) => one.tenant === place.tenant.slug && one.as === "patron");
  const here = me.value?.tenant?.name;
  const title = known ? _("Switch to %(tenant)s?", { tenant: place.tenant.name }) : _("New here: %(tenant)s", { tenant: place.tenant.name });
  return (
    <Dialog label={title} onClose={finish}>
      <SheetIcon name={known ? "arrow-right-left" : "door-open"} tone="accent" />
      <h2>{title}</h2>
      <p>
        {known
          ? _("This code is for %(venue)s. You are with %(here)s at the moment.", { venue: place.venue.name, here: here ?? "Last Light" })
          : _("This code is for %(venue)s. Joining shares your name with %(tenant)s, and nothing else.", {
              venue: place.venue.name,
              tenant: place.tenant.name,
            })}
      </p>
      <div class="p-actions">
        <button type="button" class="p-btn go" onClick={() => void joinAndCheckIn(code, place, claimedAt)}>
          {known ? _("Switch and check in") : _("Join and check in")}
        </button>
        <button type="button" class="p-btn" onClick={finish}>
          {_("Not now")}
        </button>
      </div>
    </Dialog>
  );
}

function PositionHelp({ flow: { code, why, claimedAt } }: { flow: Extract<Flow, { step: "position" }> }) {
  const texts = {
    denied: _("Location is blocked for Last Light. Open the site's settings in your browser (the icon beside the address), allow Location, then try again."),
    unavailable: _("Your phone could not find itself. Turn on precise location, step away from thick walls, then try again."),
    unsupported: _("This browser cannot tell its position. Open Last Light in your phone's own browser, or ask the staff."),
  };
  return (
    <Dialog label={_("This venue needs your position")} onClose={finish}>
      <SheetIcon name="locate-fixed" tone="warn" />
      <h2>{_("This venue needs your position")}</h2>
      <p>{texts[why]}</p>
      <p class="u-xs">{_("It is sent with this one check-in, to prove that you are at the door.")}</p>
      <div class="p-actions">
        {why !== "unsupported" && (
          <button type="button" class="p-btn go" onClick={() => void tryPositionAgain(code, claimedAt)}>
            {_("Try again")}
          </button>
        )}
        <button type="button" class="p-btn" onClick={finish}>
          {_("Not now")}
        </button>
      </div>
    </Dialog>
  );
}

/** The phone had no room, and there is no network: only this page knows what was done. */
function Unkept({ flow: { kind } }: { flow: Extract<Flow, { step: "unkept" }> }) {
  const title = kind === "checkin" ? _("This check-in is not saved") : _("This check-out is not saved");
  const close = () => {
    finish();
    if (view.value === "code" || view.value === "scan") go("home", { replace: true });
  };
  return (
    <Dialog label={title} onClose={close}>
      <SheetIcon name="triangle-alert" tone="danger" />
      <h2>{title}</h2>
      <p>{_("Your phone has no room to keep it. Leave this page open until you have signal: it is sent then, and tried again all the time. Or free some space, or ask the staff.")}</p>
      <div class="p-actions">
        <button type="button" class="p-btn" onClick={close}>
          {_("Close")}
        </button>
      </div>
    </Dialog>
  );
}

function Refusal({ flow: { problem, kind } }: { flow: Extract<Flow, { step: "refused" }> }) {
  const short = problem.type === "entry-unpaid";
  const scanAgain = kind === "checkin" && problem.type !== "visit-open" && problem.type !== "patron-barred" && problem.type !== "under-age";
  const again = () => {
    finish();
    go("scan", { replace: view.value === "code" });
  };
  const close = () => {
    finish();
    if (view.value === "code" || view.value === "scan") go("home", { replace: true });
  };
  return (
    <Dialog label={problem.title} onClose={close}>
      <SheetIcon name="circle-x" tone="danger" />
      <h2>{problem.title}</h2>
      <p>{problem.detail}</p>
      <div class="p-actions">
        {short && (
          <a class="p-btn go" href={hrefOf("credits")} onClick={finish}>
            <Icon name="wallet" />
            {_("Buy credits")}
          </a>
        )}
        {scanAgain && !short && (
          <button type="button" class="p-btn go" onClick={again}>
            <Icon name="scan-line" />
            {_("Scan again")}
          </button>
        )}
        <button type="button" class="p-btn" onClick={close}>
          {_("Close")}
        </button>
      </div>
    </Dialog>
  );
}

// icons: arrow-right-left, door-open, locate-fixed, circle-x, triangle-alert
export function SheetIcon({ name, tone }: { name: string; tone: "accent" | "warn" | "danger" }) {
  return (
    <span class={`p-sheet-ic ${tone}`} aria-hidden="true">
      <Icon name={name} />
    </span>
  );
}
