// Tonight's scans of this device: what was said, and whether the server has it.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import type { Entry } from "../data/database";
import { markSeen } from "../data/log";
import { isUnwritten } from "../data/unwritten";
import { log, notices, send, unwritten, waiting } from "../state/door";
import { short } from "../../../../ui/js/room";
import { clock, lineState, noticeText, SIGNS } from "./words";

const SHOWN = 200;
const RECENT = 20;

export function LogSheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog label={_("Recent scans")} onClose={onClose} class="d-sheet tall">
      <h2>{_("Recent scans")}</h2>
      <p>{waiting.value.length ? ngettext("%(num)s scan waits for a network.", "%(num)s scans wait for a network.", waiting.value.length) : _("The server has all of them.")}</p>
      <Lines most={SHOWN} />
      <button type="button" class="d-btn" onClick={onClose}>
        {_("Close")}
      </button>
    </Dialog>
  );
}

/** The last few beside the camera, where the screen has room for them. */
export function Recent() {
  return (
    <section class="d-recent" aria-label={_("The last scans")}>
      <Lines most={RECENT} />
    </section>
  );
}

function Lines({ most }: { most: number }) {
  const shown = log.value.slice(-most).reverse();
  if (!shown.length) return <p class="d-empty">{_("Nothing scanned yet. Each scan stands here, with what became of it.")}</p>;
  return (
    <ol class="d-log" tabIndex={0} aria-label={_("The newest first")}>
      {shown.map((entry) => (
        <Line key={entry.sequence} entry={entry} />
      ))}
    </ol>
  );
}

function Line({ entry }: { entry: Entry }) {
  const { tone, word } = lineState(entry);
  return (
    <li data-tone={tone}>
      <Icon name={SIGNS[tone]} />
      <span class="u-min0">
        <b>{entry.answer?.patron || entry.name || _("Unknown guest")}</b>
        <small>{[word, entry.override_reason].filter(Boolean).join(" · ")}</small>
      </span>
      <span class="d-when">
        {clock(entry.claimed_at)}
        <small>{isUnwritten(entry) ? _("not written down") : entry.state === "sent" ? _("sent") : _("waits")}</small>
      </span>
    </li>
  );
}

/** What stands in this page's memory only, and a device that will soon have no room: in sight for as long as it is so. */
export function Room() {
  const count = unwritten.value;
  if (!count && !short.value) return null;
  return (
    <div class={`net d-notice ${count ? "danger" : "warn"}`} role="alert">
      <Icon name="hard-drive" class="i-lg" />
      <span>
        {count
          ? ngettext(
              "%(num)s scan is NOT written down. Do not close or reload this page: free space on this device, and scan with another one meanwhile. It is tried again every few seconds.",
              "%(num)s scans are NOT written down. Do not close or reload this page: free space on this device, and scan with another one meanwhile. It is tried again every few seconds.",
              count,
            )
          : _("This device has almost no room left. Free some, or its scans cannot be written down.")}
      </span>
      {count > 0 && (
        <button type="button" class="btn" onClick={() => void send()}>
          {_("Try again")}
        </button>
      )}
    </div>
  );
}

// icons: hard-drive, triangle-alert
/** What the server took otherwise than this door did: in sight until somebody has read it. */
export function Notices() {
  const [first] = notices.value;
  if (!first) return null;
  return (
    <div class="net danger d-notice" role="alert">
      <Icon name="triangle-alert" class="i-lg" />
      <span>
        {noticeText(first)} {notices.value.length > 1 && <b>{ngettext("%(num)s more", "%(num)s more", notices.value.length - 1)}</b>}
      </span>
      <button type="button" class="btn" onClick={() => void markSeen(first.sequence)}>
        {_("Seen")}
      </button>
    </div>
  );
}
