// What stands around every view: heading, the state of the network, the tab bar.
import type { ComponentChildren } from "preact";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { flow } from "../state/checkin";
import { online } from "../state/device";
import { short } from "../../../../ui/js/room";
import { justSent, me, mustSignIn, present, queued, rejected, trouble, unkept } from "../state/night";
import { go, hrefOf, view, type View } from "../state/route";
import { Logo } from "./brand";
import { initials } from "./words";

interface HeaderProps {
  title: string;
  lead?: string;
  avatar?: boolean;
  /** Where the way back leads, and what it is called. */
  back?: [string, string];
  children?: ComponentChildren;
}

export function Header({ title, lead, avatar = false, back, children }: HeaderProps) {
  return (
    <header class="p-head">
      {back && (
        <a class="btn icon ghost p-back" href={back[0]} aria-label={back[1]}>
          <Icon name="arrow-left" />
        </a>
      )}
      {avatar && me.value && (
        <a class="avatar" href={hrefOf("profile")} aria-label={_("%(initials)s, your profile", { initials: initials(me.value.name) })}>
          <span aria-hidden="true">{initials(me.value.name)}</span>
        </a>
      )}
      <div class="u-min0">
        <h1 tabIndex={-1}>{title}</h1>
        {lead && <p class="u-truncate">{lead}</p>}
      </div>
      <div class="end u-row">
        {avatar && <Logo />}
        <Unsent />
        {children}
      </div>
    </header>
  );
}

/** How much waits on this phone: in sight on every view, for as long as anything does. */
function Unsent() {
  const count = queued.value.length;
  if (!count) return null;
  return (
    <a class="badge warn p-unsent" href={hrefOf("activity")}>
      <Icon name="clock" />
      {ngettext("%(num)s unsent", "%(num)s unsent", count)}
    </a>
  );
}

/** Says what the network is doing, while there is something to say. */
export function NetBanner() {
  return <div class="p-net">{bannerOf()}</div>;
}

function bannerOf(): ComponentChildren {
  const waiting = queued.value.length;
  if (mustSignIn.value) return <SignInAgain waiting={waiting} />;
  if (unkept.value) return <Unkept />;
  if (!online.value) {
    const title = navigator.onLine ? _("No connection to Last Light.") : _("You're offline.");
    return <Banner icon="cloud-off" title={title} text={offlineText(waiting)} />;
  }
  if (rejected.value.length && flow.value.step === "idle") return <Refused />;
  if (trouble.value) return <Banner icon="circle-alert" tone="danger" title={trouble.value.title + "."} text={trouble.value.detail} />;
  if (justSent.value) {
    const text = ngettext("%(num)s saved action sent.", "%(num)s saved actions sent.", justSent.value);
    return <Banner icon="cloud-check" tone="ok" title={_("All caught up.")} text={text} />;
  }
  if (waiting) {
    const text = ngettext("%(num)s action is on its way.", "%(num)s actions are on their way.", waiting);
    return <Banner icon="cloud-upload" title={_("Sending.")} text={text} />;
  }
  if (short.value) return <Banner icon="circle-alert" title={_("Your phone is almost full.")} text={_("Free some space, so that Last Light can keep what you do without signal.")} />;
  return null;
}

function offlineText(waiting: number): string {
  if (!waiting) return _("Your pass and history still work, and so does checking in.");
  return ngettext(
    "%(num)s action saved on this phone, sending when signal returns.",
    "%(num)s actions saved on this phone, sending when signal returns.",
    waiting,
  );
}

/** Only this page knows of it: said before anything else, for as long as it is so. */
function Unkept() {
  const text = ngettext(
    "Your phone has no room for %(num)s action. Leave this page open: it is sent from here as soon as there is signal.",
    "Your phone has no room for %(num)s actions. Leave this page open: they are sent from here as soon as there is signal.",
    unkept.value,
  );
  return <Banner icon="circle-alert" tone="danger" title={_("Not saved on this phone.")} text={text} />;
}

function SignInAgain({ waiting }: { waiting: number }) {
  return (
    <div class="net danger" role="status">
      <Icon name="key-round" class="i-lg" />
      <span>
        <b>{_("Your session has ended.")}</b>{" "}
        <span class="sub">{ngettext("Sign in to send %(num)s saved action.", "Sign in to send %(num)s saved actions.", waiting)}</span>
      </span>
      <a class="btn sm" href={hrefOf("sign-in")}>
        {_("Sign in")}
      </a>
    </div>
  );
}

/** Something that had waited was turned down: said on every view until its person has read why. */
function Refused() {
  const count = rejected.value.length;
  const why = count === 1 ? rejected.value[0]!.problem?.title : "";
  return (
    <div class="net danger" role="status">
      <Icon name="circle-x" class="i-lg" />
      <span>
        <b>{ngettext("%(num)s saved action was refused.", "%(num)s saved actions were refused.", count)}</b> {why && <span class="sub">{why}.</span>}
      </span>
      {view.value !== "activity" && (
        <a class="btn sm" href={hrefOf("activity")}>
          {_("See why")}
        </a>
      )}
    </div>
  );
}

interface BannerProps {
  icon: string;
  title: string;
  text: string;
  tone?: "" | "ok" | "danger";
}

// icons: cloud-off, circle-alert, cloud-check, cloud-upload
function Banner({ icon, title, text, tone = "" }: BannerProps) {
  return (
    <div class={`net ${tone}`} role="status">
      <Icon name={icon} class="i-lg" />
      <span>
        <b>{title}</b> <span class="sub">{text}</span>
      </span>
    </div>
  );
}

const LEFT: [View, string, () => string][] = [
  ["home", "house", () => _("Home")],
  ["activity", "receipt-text", () => _("Activity")],
];
const RIGHT: [View, string, () => string][] = [
  ["credits", "wallet", () => _("Credits")],
  ["venues", "map-pin", () => _("Venues")],
  ["profile", "user-round", () => _("Profile")],
];

// icons: house, receipt-text, wallet, map-pin, user-round
export function TabBar() {
  return (
    <nav class="tabbar" aria-label={_("Main")}>
      <div>
        <Tabs of={LEFT} />
        <button type="button" class="scan" aria-label={_("Scan a code")} onClick={() => go("scan")} disabled={!!present.value && view.value === "scan"}>
          <Icon name="scan-line" />
        </button>
        <Tabs of={RIGHT} />
      </div>
    </nav>
  );
}

function Tabs({ of }: { of: typeof LEFT }) {
  return (
    <div>
      {of.map(([target, icon, label]) => (
        <Tab key={target} target={target} icon={icon} label={label()} />
      ))}
    </div>
  );
}

function Tab({ target, icon, label }: { target: View; icon: string; label: string }) {
  return (
    <a href={hrefOf(target)} aria-current={view.value === target ? "page" : undefined}>
      <Icon name={icon} />
      {label}
    </a>
  );
}
