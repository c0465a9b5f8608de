// "I need help" on the first page: held it calls at once, touched it opens the sheet. In quiet mode it never looks any different.
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { callForHelp, help, helpOffered, quiet, sheetOpen, type Help } from "../state/help";
import { HoldButton } from "./hold-button";

const NOTHING_SAID = { about: null, place: "", note: "" };

export function HelpButton() {
  if (!helpOffered.value) return null;
  const standing = help.value;
  const shown = standing && !standing.quiet ? standing : null;
  const open = () => (sheetOpen.value = true);
  const held = () => {
    if (standing) return open();
    if (!quiet.value) open();
    void callForHelp(NOTHING_SAID, quiet.value, false);
  };
  return (
    <div class="p-help">
      <HoldButton class={`p-btn p-help-btn ${toneOf(shown)}`} onHeld={held} onTap={open} hidden={quiet.value} describedBy="help-how">
        {(holding) => (
          <>
            <Icon name="hand-helping" />
            <span role={shown ? "status" : undefined}>{shown ? shortOf(shown) : holding ? _("Keep holding …") : _("I need help")}</span>
          </>
        )}
      </HoldButton>
      <p class="u-xs u-dim" id="help-how">
        {shown ? _("Touch to see more.") : _("Hold to call the staff, touch to say more first.")}
      </p>
    </div>
  );
}

function toneOf(standing: Help | null): string {
  if (!standing) return "";
  if (standing.at === "unsent" || standing.at === "refused") return "danger";
  return standing.at === "coming" || standing.at === "heard" ? "ok" : "warn";
}

/** One line for how a call stands. */
export function shortOf(standing: Help): string {
  if (!("call" in standing)) {
    return { sending: _("Calling …"), unsent: _("Not sent yet: go to a member of staff"), refused: _("Not called: go to a member of staff") }[standing.at];
  }
  const names = standing.call.helpers.join(", ");
  const several = standing.call.helpers.length > 1;
  return {
    sent: standing.call.escalation ? _("Nobody has answered yet. They are told again.") : _("The staff have been told"),
    heard: several ? _("%(names)s have heard you", { names }) : _("%(names)s has heard you", { names }),
    coming: several ? _("%(names)s are coming", { names }) : _("%(names)s is coming", { names }),
    over: _("The staff say that it is over"),
    withdrawn: _("You took your call back"),
  }[standing.at];
}
