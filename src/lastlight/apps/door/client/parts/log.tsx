// Tonight's scans of this device: what was said, and whether the server has it.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { markSeen } from "../data/log";
import { log, notices, waiting } from "../state/door";
import type { Tone } from "../state/sound";
import { clock, lineState, noticeText } from "./words";

const SHOWN = 200;
// icons: log-in, log-out, triangle-alert, ban
const ICONS: Record<Tone, string> = { yes: "log-in", bye: "log-out", warn: "triangle-alert", no: "ban" };

export function LogSheet({ onClose }: { onClose: () => void }) {
  const shown = log.value.slice(-SHOWN).reverse();
  return (
    <Dialog label={_("Recent scans")} onClose={onClose} class="d-sheet tall">
      <h2>{_("Recent scans")}</h2>
      <p>{waiting.value.length ? ngettext("%(num)s scan waits for a network.", "%(num)s scans wait for a network.", waiting.value.length) : _("The server has all of them.")}</p>
      {shown.length ? (
        <ol class="d-log" tabIndex={0} aria-label={_("The newest first")}>
          {shown.map((entry) => {
            const { tone, word } = lineState(entry);
            return (
              <li key={entry.sequence} data-tone={tone}>
                <Icon name={ICONS[tone]} />
                <span class="u-min0">
                  <b>{entry.answer?.patron || entry.name || _("Unknown guest")}</b>
                  <small>{[word, entry.override_reason].filter(Boolean).join(" · ")}</small>
                </span>
                <span class="d-when">
                  {clock(entry.claimed_at)}
                  <small>{entry.state === "sent" ? _("sent") : _("waits")}</small>
                </span>
              </li>
            );
          })}
        </ol>
      ) : (
        <p class="d-empty">{_("Nothing scanned yet. Each scan stands here, with what became of it.")}</p>
      )}
      <button type="button" class="d-btn" onClick={onClose}>
        {_("Close")}
      </button>
    </Dialog>
  );
}

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
