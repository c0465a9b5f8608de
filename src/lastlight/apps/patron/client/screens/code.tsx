// Opened by a phone's own camera at `/c/{code}`: one tap checks in, so that a link alone never does.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { call } from "../../../../ui/js/wire/api";
import { readCode } from "../data/code";
import type { CodePlace } from "../data/types";
import { Header, NetBanner } from "../parts/frame";
import { State } from "../parts/state";
import { checkInScanned } from "../state/checkin";
import { home } from "../state/night";
import { go, scannedOutside } from "../state/route";

export function CodeScreen() {
  const code = readCode(scannedOutside.value?.text ?? "");
  const name = usePlaceName(code?.text ?? "", code?.venueId ?? "");
  return (
    <>
      <Header title={_("At the door")} />
      <NetBanner />
      {code ? (
        <section class="pass" aria-labelledby="pass-title">
          <div>
            <h2 id="pass-title">{name ? _("Check in at %(venue)s?", { venue: name }) : _("Check in with this code?")}</h2>
            <p>{_("You scanned the code at the door. One tap and you are in.")}</p>
            <button type="button" class="p-btn go" onClick={() => void checkInScanned()}>
              <Icon name="log-in" />
              {_("Check in")}
            </button>
            <button type="button" class="p-btn" onClick={notNow}>
              {_("Not now")}
            </button>
          </div>
        </section>
      ) : (
        <div class="acts">
          <State icon="qr-code" tone="danger" title={_("This is not a check-in code")} text={_("Scan the code on the venue's screen or poster.")}>
            <button type="button" class="btn" onClick={() => go("scan", { replace: true })}>
              {_("Open the scanner")}
            </button>
          </State>
        </div>
      )}
    </>
  );
}

function notNow(): void {
  scannedOutside.value = null;
  go("home", { replace: true });
}

/** The venue's name: from this phone's memory, else from the server, which tells it for a genuine code only. */
export function usePlaceName(text: string, venueId: string): string {
  const known = home.value?.venues.find((venue) => venue.id === venueId)?.name ?? "";
  const [told, setTold] = useState("");
  useEffect(() => {
    if (!text || known) return;
    void call<CodePlace>(`/api/codes/${encodeURIComponent(text)}`).then(
      (place) => setTold(place.venue.name),
      () => undefined,
    );
  }, [text, known]);
  return known || told;
}
