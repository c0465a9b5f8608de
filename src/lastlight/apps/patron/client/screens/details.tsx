// What the door should know: the name that staff see, and the date of birth, which is told once.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Alert, Field } from "../../../../ui/js/parts/field";
import { say } from "../parts/toast";
import { giveBirthDate, saveName } from "../state/account";
import { online } from "../state/device";
import { home, me } from "../state/night";

type Asked = "name" | "birth";

export function Details() {
  const [asked, setAsked] = useState<Asked | null>(null);
  const patron = home.value?.patron;
  return (
    <>
      <ul class="acts" aria-label={_("Your details")}>
        <li class="one detail">
          <span class="ic">
            <Icon name="user-round" />
          </span>
          <b>{_("Name")}</b>
          <small>{me.value!.name}</small>
          <span class="amt">
            <button type="button" class="btn sm" onClick={() => setAsked("name")} disabled={!online.value} aria-label={_("Change name")}>
              {_("Change")}
            </button>
          </span>
        </li>
        {patron && (
          <li class="one detail">
            <span class="ic">
              <Icon name="cake" />
            </span>
            <b>{_("Date of birth")}</b>
            <small>{patron.birth_date ? written(patron.birth_date) : _("Some doors ask for it")}</small>
            {!patron.birth_date && (
              <span class="amt">
                <button type="button" class="btn sm" onClick={() => setAsked("birth")} disabled={!online.value} aria-label={_("Give date of birth")}>
                  {_("Give")}
                </button>
              </span>
            )}
          </li>
        )}
      </ul>
      {asked === "name" && <NameDialog onClose={() => setAsked(null)} />}
      {asked === "birth" && <BirthDialog onClose={() => setAsked(null)} />}
    </>
  );
}

function NameDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState(me.value!.name);
  return (
    <DetailDialog
      title={_("Change name")}
      text={_("Staff see it when you check in.")}
      save={() => saveName(name)}
      field={(error) => <Field label={_("Name")} name="name" value={name} onValue={setName} autocomplete="name" maxLength={120} required error={error} />}
      fieldName="name"
      onClose={onClose}
    />
  );
}

function BirthDialog({ onClose }: { onClose: () => void }) {
  const [date, setDate] = useState("");
  return (
    <DetailDialog
      title={_("Your date of birth")}
      text={_("Doors with an age limit need it. It can be given once; the business can correct it.")}
      save={() => giveBirthDate(date)}
      field={(error) => <Field label={_("Date of birth")} name="birth_date" type="date" value={date} onValue={setDate} autocomplete="bday" required error={error} />}
      fieldName="birth_date"
      onClose={onClose}
    />
  );
}

interface DetailProps {
  title: string;
  text: string;
  save: () => Promise<void>;
  field: (error: string | undefined) => preact.JSX.Element;
  fieldName: string;
  onClose: () => void;
}

function DetailDialog({ title, text, save, field, fieldName, onClose }: DetailProps) {
  const { busy, failed, fields, run } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      await save();
      say(_("Saved."));
      onClose();
    });
  };
  return (
    <Dialog label={title} onClose={onClose}>
      <h2>{title}</h2>
      <p>{text}</p>
      <form class="form p-form" onSubmit={submit} noValidate>
        <Alert text={failed && !fields[fieldName] ? failed : ""} />
        {field(fields[fieldName])}
        <div class="p-actions">
          <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy}>
            {_("Save")}
          </button>
          <button type="button" class="p-btn" onClick={onClose}>
            {_("Cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function written(date: string): string {
  return new Date(`${date}T12:00:00Z`).toLocaleDateString(document.documentElement.lang || undefined, { dateStyle: "long", timeZone: "UTC" });
}
