// Staff ask whether all is well: a sheet that cannot be missed, and what became of a call for help.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import type { SafetyCheck } from "../data/types";
import { answerCheck, helpCalled, helpWaits, openCheck } from "../state/checks";
import { SheetIcon } from "./outcome";
import { say } from "./toast";

export function SafetySheet() {
  const check = openCheck.value;
  if (check) return <Question key={check.id} check={check} />;
  if (helpCalled.value) return <HelpCalled />;
  return null;
}

function Question({ check }: { check: SafetyCheck }) {
  const [note, setNote] = useState("");
  useEffect(() => {
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([200, 100, 200]);
  }, []);
  const fine = () => {
    say(_("Thank you. Enjoy your night."), "ok");
    void answerCheck(check, "fine", note);
  };
  return (
    <Dialog label={check.question} onClose={() => undefined}>
      <SheetIcon name="heart-pulse" tone="accent" />
      <h2>{check.question}</h2>
      <p>{_("The staff of %(venue)s ask. Only they see your answer.", { venue: check.venue })}</p>
      <div class="field">
        <label for="check-note">{_("Where are you? (optional)")}</label>
        <input class="input" id="check-note" value={note} maxLength={200} autocomplete="off" onInput={(event) => setNote(event.currentTarget.value)} />
      </div>
      <div class="p-actions">
        <button type="button" class="p-btn go" onClick={fine}>
          <Icon name="check" />
          {_("I'm fine")}
        </button>
        <button type="button" class="p-btn danger" onClick={() => void answerCheck(check, "help", note)}>
          <Icon name="hand-helping" />
          {_("I need help")}
        </button>
      </div>
    </Dialog>
  );
}

// icons: heart-pulse, hand-helping, check, siren
function HelpCalled() {
  const waits = helpWaits.value;
  const close = () => (helpCalled.value = null);
  const title = waits ? _("Not sent yet") : _("The staff have been told");
  return (
    <Dialog label={title} onClose={close}>
      <SheetIcon name="siren" tone={waits ? "danger" : "warn"} />
      <h2>{title}</h2>
      <p role="status">
        {waits
          ? _("Your phone has no connection. Speak to anybody who works here; your call is sent as soon as there is signal.")
          : _("Stay where you are if you can. Somebody who works here comes to you.")}
      </p>
      <div class="p-actions">
        <button type="button" class="p-btn" onClick={close}>
          {_("Close")}
        </button>
      </div>
    </Dialog>
  );
}
