// The sheet of a call for help: what about and where before it, how it stands after it.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import type { Offers } from "../data/types";
import { useAnswer } from "../state/answer";
import { callForHelp, help, putAway, quiet, setQuiet, sheetOpen, withdraw, type About, type Help, type Said } from "../state/help";
import { online } from "../state/device";
import { present } from "../state/night";
import { shortOf } from "./help-button";
import { HoldButton } from "./hold-button";
import { SheetIcon } from "./outcome";

const EMERGENCY = "112";
const CHOICES: [About, () => string][] = [
  ["unwell", () => _("I feel unwell")],
  ["bothered", () => _("Somebody bothers me")],
  ["lost", () => _("I'm lost")],
  ["other", () => _("Something else")],
];

export function HelpSheet() {
  if (!sheetOpen.value) return null;
  const standing = help.value;
  return standing ? <Called key="called" standing={standing} /> : <Calling key="calling" />;
}

function close(): void {
  sheetOpen.value = false;
}

function Calling() {
  const [said, setSaid] = useState<Said>({ about: null, place: "", note: "" });
  const [position, setPosition] = useState(false);
  const fire = () => {
    if (quiet.value) close();
    void callForHelp(said, quiet.value, position);
  };
  return (
    <Dialog label={_("Call for help")} onClose={close}>
      <h2>{_("Call for help")}</h2>
      <HoldButton class="sos-fire" onHeld={fire} hidden={quiet.value} describedBy="help-hold">
        {(holding) => (
          <>
            <Icon name="hand-helping" />
            <span>{holding ? _("Keep holding …") : _("Hold to call for help")}</span>
          </>
        )}
      </HoldButton>
      <p class="u-sm u-2" id="help-hold">
        {_("Hold for a second and a half. Everybody who works at %(venue)s hears it at once, with your first name.", { venue: present.value?.venueName ?? _("the venue") })}
      </p>
      <Saying said={said} onChange={setSaid} />
      <Tick label={_("Tell them my position")} hint={_("Your phone asks first. The call does not wait for it.")} checked={position} onChange={setPosition} />
      <Tick
        label={_("Quiet")}
        hint={_("Nothing shows on this screen and nothing rings near you. The button on the first page works by holding it, and looks the same after.")}
        checked={quiet.value}
        onChange={(wanted) => void setQuiet(wanted)}
      />
      <Emergency />
      <button type="button" class="p-btn quiet" onClick={close}>
        {_("Close")}
      </button>
    </Dialog>
  );
}

// icons: hand-helping, siren, footprints, circle-check, cloud-off, circle-alert, ear, phone
const ICONS = { sending: "siren", unsent: "cloud-off", refused: "circle-alert", sent: "siren", heard: "ear", coming: "footprints", over: "circle-check", withdrawn: "circle-check" } as const;

function Called({ standing }: { standing: Help }) {
  const { busy, failed, run } = useAttempt();
  const bad = standing.at === "unsent" || standing.at === "refused";
  const call = "call" in standing ? standing.call : null;
  const ended = standing.at === "over" || standing.at === "withdrawn" || standing.at === "refused";
  return (
    <Dialog label={shortOf(standing)} onClose={ended ? () => void putAway() : close}>
      <SheetIcon name={ICONS[standing.at]} tone={bad ? "danger" : standing.at === "coming" ? "accent" : "warn"} />
      <h2>{shortOf(standing)}</h2>
      <p role="status">{textOf(standing)}</p>
      {call && !ended && <More key={call.id} call={call} />}
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
      {(bad || standing.at === "sent") && <Emergency />}
      <div class="p-actions">
        <button type="button" class="p-btn" onClick={ended ? () => void putAway() : close}>
          {_("Close")}
        </button>
        {call && !ended && (
          <button type="button" class="p-btn quiet" disabled={busy || !online.value} aria-busy={busy} onClick={() => void run(() => withdraw(call.id))}>
            {_("I need no help any more")}
          </button>
        )}
      </div>
    </Dialog>
  );
}

function textOf(standing: Help): string {
  switch (standing.at) {
    case "sending":
      return _("Stay where you are if you can.");
    case "unsent":
      return _("Your phone has no connection, so nobody has been told. Go to anybody who works here. Your call is sent as soon as there is signal.");
    case "refused":
      return standing.problem?.detail ?? _("Nobody has been told. Go to anybody who works here.");
    case "sent":
      return standing.call.escalation
        ? _("Everybody is told again, louder. If you can, go to the bar or the door.")
        : _("Everybody who works here has been told. Stay where you are if you can.");
    case "heard":
      return _("Somebody has heard you. Stay where you are if you can.");
    case "coming":
      return standing.call.place ? _("They look for you here: %(place)s.", { place: standing.call.place }) : _("Stay where you are if you can, and say below where that is.");
    case "over":
      return _("If you need help again, call again.");
    case "withdrawn":
      return _("Somebody may still look in on you. If you need help again, call again.");
  }
}

/** More about a call that stands: what it is about, and where. */
function More({ call }: { call: Extract<Help, { call: unknown }>["call"] }) {
  const [said, setSaid] = useState<Said>({ about: call.about, place: call.place, note: call.note });
  const [told, setTold] = useState(false);
  const { busy, failed, run } = useAttempt();
  const changed = said.about !== call.about || said.place.trim() !== call.place || said.note.trim() !== call.note;
  const tell = () =>
    void run(async () => {
      await callForHelp(said, call.quiet, false);
      setTold(true);
    });
  return (
    <>
      <Saying
        said={said}
        onChange={(next) => {
          setTold(false);
          setSaid(next);
        }}
      />
      {failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
      <button type="button" class="p-btn" disabled={!changed || busy} aria-busy={busy} onClick={tell}>
        {told && !changed ? _("They have it") : _("Tell them")}
      </button>
    </>
  );
}

function Saying({ said, onChange }: { said: Said; onChange: (said: Said) => void }) {
  const venue = present.value?.venueId;
  return (
    <div class="form p-help-form">
      <div class="field">
        <span class="label" id="help-about">
          {_("What is it about? (optional)")}
        </span>
        <div class="p-chips" role="radiogroup" aria-labelledby="help-about">
          {CHOICES.map(([about, label]) => (
            <label key={about} class="chip">
              <input class="sr" type="radio" name="help-about" checked={said.about === about} onChange={() => onChange({ ...said, about })} />
              {label()}
            </label>
          ))}
        </div>
      </div>
      <div class="field">
        <label for="help-place">{_("Where are you? (optional)")}</label>
        <input class="input" id="help-place" list="help-places" value={said.place} maxLength={120} autocomplete="off" onInput={(event) => onChange({ ...said, place: event.currentTarget.value })} />
        {venue && <Places venue={venue} />}
      </div>
      <div class="field">
        <label for="help-note">{_("Anything else? (optional)")}</label>
        <input class="input" id="help-note" value={said.note} maxLength={500} autocomplete="off" onInput={(event) => onChange({ ...said, note: event.currentTarget.value })} />
      </div>
    </div>
  );
}

/** The zones, rooms and tables of where this person is, as far as the phone knows them. */
function Places({ venue }: { venue: string }) {
  const { answer } = useAnswer<Offers>(`/api/patron/venues/${venue}/resources`);
  const items = answer?.items ?? [];
  const places = new Set([...items.map((one) => one.zone), ...items.filter((one) => one.kind !== "game").map((one) => one.name)].filter(Boolean));
  return (
    <datalist id="help-places">
      {[...places].map((place) => (
        <option key={place} value={place} />
      ))}
    </datalist>
  );
}

function Tick({ label, hint, checked, onChange }: { label: string; hint: string; checked: boolean; onChange: (wanted: boolean) => void }) {
  return (
    <label class="p-tick">
      <input type="checkbox" role="switch" class="switch" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        <b>{label}</b> <small>{hint}</small>
      </span>
    </label>
  );
}

function Emergency() {
  return (
    <p class="u-sm u-2 p-emergency">
      {_("Is a life in danger?")}{" "}
      <a href={`tel:${EMERGENCY}`}>
        <Icon name="phone" />
        {_("Call %(number)s", { number: EMERGENCY })}
      </a>
    </p>
  );
}
