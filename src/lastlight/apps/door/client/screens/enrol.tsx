// Before there is a door: the one-time code, or why this device has none any more.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _, ngettext } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Alert, Field } from "../../../../ui/js/parts/field";
import { enrol, gone } from "../state/door";

export function EnrolScreen() {
  const [code, setCode] = useState(codeInAddress);
  const { busy, failed, fields, run } = useAttempt();
  const submit = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      await enrol(code);
      history.replaceState(null, "", location.pathname);
    });
  };
  return (
    <main class="d-enrol" id="main">
      <span class="mark" aria-hidden="true" />
      <h1>{_("Door scanner")}</h1>
      {gone.value && <GoneNote />}
      <p>{_("This device is not enrolled. A manager adds it under Devices and gets a one-time code, good for fifteen minutes.")}</p>
      <form class="form d-form" onSubmit={submit}>
        <Alert text={failed} />
        <Field label={_("One-time code")} name="code" value={code} onValue={setCode} literal required autofocus hint={_("As it is shown, such as your-business.7KQ2M-9XWPA")} error={fields["code"]} maxLength={120} />
        <button type="submit" class="d-btn strong" aria-busy={busy} disabled={busy || !code.trim()}>
          {_("Enrol this device")}
        </button>
      </form>
      <a class="d-back" href="/staff">
        <Icon name="arrow-left" />
        {_("To the staff app")}
      </a>
    </main>
  );
}

/** Told once, clearly: it was taken off the list while it was in use. */
function GoneNote() {
  const { venue, name, unsent } = gone.value!;
  return (
    <div class="net danger" role="alert">
      <Icon name="shield-off" class="i-lg" />
      <span>
        <b>{_("%(name)s was revoked at %(venue)s.", { name, venue })}</b>{" "}
        {_("It opens no door any more, and what it knew has been wiped.")}{" "}
        {unsent > 0 && ngettext("%(num)s scan could not be sent any more: tell a manager.", "%(num)s scans could not be sent any more: tell a manager.", unsent)}
      </span>
    </div>
  );
}

/** A manager's screen may show the code as a link: it is filled in, and still sent by hand. */
function codeInAddress(): string {
  return new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
}

export function InsecureScreen() {
  return (
    <main class="d-enrol" id="main">
      <Icon name="lock" class="i-lg" />
      <h1>{_("The door needs https")}</h1>
      <p>{_("A scanner signs with a key of its own, which browsers give to secure pages only. Open Last Light over https on this device.")}</p>
    </main>
  );
}
