// A new password: the present one proves that it is its owner who asks.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Alert, PasswordField } from "../../../../ui/js/parts/field";
import { say } from "../parts/toast";
import { changePassword } from "../state/account";
import { online } from "../state/device";

export function Password() {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" class="p-btn" onClick={() => setAsking(true)} disabled={!online.value}>
        <Icon name="key-round" />
        {_("Change password")}
      </button>
      <a class="p-btn" href="/account/security">
        <Icon name="shield-check" />
        {_("Second factor and passkeys")}
      </a>
      {asking && <PasswordDialog onClose={() => setAsking(false)} />}
    </>
  );
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const { busy, failed, fields, run } = useAttempt();
  const [current, setCurrent] = useState("");
  const [wanted, setWanted] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      await changePassword(current, wanted);
      say(_("Your password is changed. Your other devices are signed out."));
      onClose();
    });
  };
  return (
    <Dialog label={_("Change password")} onClose={onClose}>
      <h2>{_("Change password")}</h2>
      <p>{_("Your other phones and browsers will have to sign in again.")}</p>
      <form class="form p-form" onSubmit={submit} noValidate>
        <Alert text={failed && !Object.keys(fields).length ? failed : ""} />
        <PasswordField label={_("Current password")} name="current_password" value={current} onValue={setCurrent} autocomplete="current-password" error={fields.current_password} />
        <PasswordField label={_("New password")} name="new_password" value={wanted} onValue={setWanted} autocomplete="new-password" error={fields.new_password} hint={_("At least 10 characters; a short sentence is best.")} />
        <div class="p-actions">
          <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy}>
            {_("Change password")}
          </button>
          <button type="button" class="p-btn" onClick={onClose}>
            {_("Cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
