// Profile: who one is, how the app looks and speaks, where one is signed in, and the ways out.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { call } from "../../../../ui/js/wire/api";
import type { Place } from "../data/types";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Header, NetBanner } from "../parts/frame";
import { SheetIcon } from "../parts/outcome";
import { say } from "../parts/toast";
import { initials } from "../parts/words";
import { signOut, switchTo } from "../state/account";
import { online } from "../state/device";
import { byHand, install, offer } from "../state/install";
import { me, queued } from "../state/night";
import { Details } from "./details";
import { Devices } from "./devices";
import { Notifications } from "./notifications";
import { Password } from "./password";
import { Preferences } from "./preferences";

export function ProfileScreen() {
  const person = me.value;
  if (!person) return null;
  return (
    <>
      <Header title={_("Profile")} />
      <NetBanner />
      <div class="p-column">
        <section class="p-card p-who" aria-label={_("You")}>
          <span class="avatar lg" aria-hidden="true">
            {initials(person.name)}
          </span>
          <div class="u-min0">
            <b>{person.name}</b>
            <small>{person.email}</small>
            {person.patron_id && <p class="u-xs u-dim">{_("Guest no. %(number)s", { number: person.patron_id.slice(-8).toUpperCase() })}</p>}
          </div>
          {person.email_verified ? (
            <span class="badge ok">
              <Icon name="badge-check" />
              {_("Verified")}
            </span>
          ) : (
            <VerifyMail />
          )}
        </section>
        <Details />
        <Businesses />
        <Preferences />
        <Notifications />
      </div>
      <div class="p-column">
        <Devices />
        <Password />
        <Install />
        <Leave />
        <p class="u-xs u-dim p-note">
          {_("On this phone: your last night as shown here, and check-ins not yet sent. Signing out removes all of it.")}
        </p>
      </div>
    </>
  );
}

function VerifyMail() {
  const { busy, run } = useAttempt();
  const send = () =>
    run(async () => {
      const { message } = await call<{ message: string }>("/api/auth/verify-email/link", { method: "POST" });
      say(message, "info");
    });
  return (
    <button type="button" class="btn sm" onClick={() => void send()} aria-busy={busy} disabled={busy || !online.value}>
      <Icon name="mail" />
      {_("Verify e-mail")}
    </button>
  );
}

function Businesses() {
  const { busy, failed, run } = useAttempt();
  const places = me.value!.places.filter((place) => place.as === "patron");
  if (!places.length) return null;
  const move = (place: Place) =>
    run(async () => {
      await switchTo(place.tenant);
      say(_("You are with %(business)s now.", { business: place.name }));
    });
  return (
    <section class="p-block" aria-labelledby="places-title">
      <div class="p-sec">
        <h2 id="places-title">{_("Where you are a guest")}</h2>
      </div>
      <ul class="acts">
        {places.map((place) => (
          <li key={place.tenant} class="one">
            <span class="ic">
              <Icon name="store" />
            </span>
            <b>{place.name}</b>
            <span class="amt">
              {place.current ? (
                <span class="badge accent">
                  <Icon name="check" />
                  {_("Current")}
                </span>
              ) : (
                <button type="button" class="btn sm" onClick={() => void move(place)} disabled={busy || !online.value || place.status !== "active"}>
                  {_("Switch")}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
    </section>
  );
}

/** Offered where the browser can; told where only the person can. */
function Install() {
  if (!offer.value && !byHand()) return null;
  return (
    <section class="p-card p-install" aria-labelledby="install-title">
      <Icon name="smartphone" class="i-lg" />
      <div class="u-min0">
        <h2 id="install-title">{_("On your home screen")}</h2>
        <p>
          {offer.value
            ? _("Opens like any app, also without signal.")
            : _("Tap Share in Safari, then Add to Home Screen. It opens like any app, also without signal.")}
        </p>
      </div>
      {offer.value && (
        <button type="button" class="btn sm" onClick={() => void install()}>
          {_("Install")}
        </button>
      )}
    </section>
  );
}

function Leave() {
  const [asking, setAsking] = useState<"here" | "everywhere" | null>(null);
  const { busy, failed, run } = useAttempt();
  const leave = (where: "here" | "everywhere") => run(() => signOut({ everywhere: where === "everywhere" }));
  const ask = (where: "here" | "everywhere") => {
    if (where === "here" && !queued.value.length) void leave(where);
    else setAsking(where);
  };
  return (
    <div class="p-actions">
      <button type="button" class="p-btn" onClick={() => ask("here")} aria-busy={busy} disabled={busy || !online.value}>
        <Icon name="log-out" />
        {_("Sign out")}
      </button>
      <button type="button" class="p-btn quiet" onClick={() => ask("everywhere")} disabled={busy || !online.value}>
        {_("Sign out everywhere")}
      </button>
      {!online.value && <p class="u-xs u-dim">{_("Signing out needs signal.")}</p>}
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
      {asking && <LeaveDialog where={asking} busy={busy} onClose={() => setAsking(null)} onLeave={() => void leave(asking)} />}
    </div>
  );
}

interface LeaveProps {
  where: "here" | "everywhere";
  busy: boolean;
  onClose: () => void;
  onLeave: () => void;
}

// icons: triangle-alert, log-out
function LeaveDialog({ where, busy, onClose, onLeave }: LeaveProps) {
  const unsent = queued.value.length;
  const title = unsent
    ? ngettext("%(num)s action is still unsent", "%(num)s actions are still unsent", unsent)
    : _("Sign out everywhere?");
  return (
    <Dialog label={title} onClose={onClose}>
      <SheetIcon name={unsent ? "triangle-alert" : "log-out"} tone="warn" />
      <h2>{title}</h2>
      <p>
        {unsent
          ? _("Signing out deletes what is saved on this phone, and it will never reach the venue. Wait for signal to send it first.")
          : _("Every phone and browser where you are signed in will have to sign in again.")}
      </p>
      <div class="p-actions">
        {unsent > 0 && (
          <button type="button" class="p-btn go" onClick={onClose}>
            {_("Stay signed in")}
          </button>
        )}
        <button type="button" class="p-btn danger" onClick={onLeave} aria-busy={busy} disabled={busy}>
          {unsent ? _("Sign out and delete") : where === "everywhere" ? _("Sign out everywhere") : _("Sign out")}
        </button>
        {!unsent && (
          <button type="button" class="p-btn" onClick={onClose}>
            {_("Cancel")}
          </button>
        )}
      </div>
    </Dialog>
  );
}
