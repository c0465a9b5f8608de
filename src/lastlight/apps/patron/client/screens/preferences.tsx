// How the app looks and speaks, and by which clock; saved at once, for every app of Last Light.
import { useId } from "preact/hooks";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { Preferences as Chosen } from "../data/types";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { say } from "../parts/toast";
import { savePreferences } from "../state/account";
import { motion, online, setMotion } from "../state/device";
import { me } from "../state/night";

export function Preferences() {
  const { busy, failed, run } = useAttempt();
  const now = me.value!.preferences;
  const change = (part: Partial<Chosen>) =>
    void run(async () => {
      const { language, time_zone, theme, notifications } = { ...now, ...part };
      await savePreferences({ language, time_zone, theme, notifications });
      say(_("Saved."));
    });
  const locked = busy || !online.value;
  return (
    <section class="p-block" aria-labelledby="preferences-title">
      <div class="p-sec">
        <h2 id="preferences-title">{_("Preferences")}</h2>
      </div>
      <div class="p-card form">
        <div class="field">
          <span class="label" id="theme-label">
            {_("Theme")}
          </span>
          <div class="seg p-seg" role="group" aria-labelledby="theme-label">
            {THEMES.map(([theme, label]) => (
              <button key={theme} type="button" aria-pressed={now.theme === theme} disabled={locked} onClick={() => change({ theme })}>
                {label()}
              </button>
            ))}
          </div>
        </div>
        <div class="field">
          <span class="label" id="motion-label">
            {_("Movement")}
          </span>
          <div class="seg p-seg two" role="group" aria-labelledby="motion-label">
            {MOTIONS.map(([wanted, label]) => (
              <button key={wanted} type="button" aria-pressed={motion.value === wanted} onClick={() => void setMotion(wanted)}>
                {label()}
              </button>
            ))}
          </div>
        </div>
        <Choice label={_("Language")} value={now.language} options={languages(now.language)} disabled={locked} onChoose={(language) => change({ language })} />
        <Choice label={_("Time zone")} value={now.time_zone} options={zones(now.time_zone)} disabled={locked} onChoose={(time_zone) => change({ time_zone })} />
        {!online.value && <p class="hint u-xs u-dim">{_("Preferences need signal to be changed.")}</p>}
        {failed && (
          <p class="p-failed" role="alert">
            {failed}
          </p>
        )}
      </div>
    </section>
  );
}

const THEMES: [Chosen["theme"], () => string][] = [
  ["dark", () => _("Dark")],
  ["light", () => _("Light")],
  ["system", () => _("As the phone")],
];

const MOTIONS: ["system" | "reduced", () => string][] = [
  ["system", () => _("As the phone")],
  ["reduced", () => _("Reduced")],
];

interface ChoiceProps {
  label: string;
  value: string;
  options: [string, string][];
  disabled: boolean;
  onChoose: (value: string) => void;
}

function Choice({ label, value, options, disabled, onChoose }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} class="input" value={value} disabled={disabled} onChange={(event) => onChoose(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** English, and every language that the build has a catalogue for; the one in use is always there. */
function languages(current: string): [string, string][] {
  const tags = [...new Set(["en", ...Object.keys(CATALOGUES).map((tag) => tag.replace("_", "-")), current])];
  return tags.map((tag) => {
    const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
    return [tag, name.charAt(0).toUpperCase() + name.slice(1)];
  });
}

function zones(current: string): [string, string][] {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  const named = [...new Set([...known, ...(current ? [current] : [])])].filter((zone) => zone.includes("/"));
  return [["", _("As the venue")], ...named.map((zone): [string, string] => [zone, zone.replaceAll("_", " ")])];
}
