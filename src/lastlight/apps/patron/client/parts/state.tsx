// Nothing yet, still coming, or went wrong: each says so, and what to do.
import type { ComponentChildren } from "preact";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { online } from "../state/device";
import { sync, trouble } from "../state/night";

interface Props {
  icon: string;
  title: string;
  text: string;
  tone?: "" | "warn" | "danger";
  compact?: boolean;
  children?: ComponentChildren;
}

export function State({ icon, title, text, tone = "", compact = false, children }: Props) {
  return (
    <div class={`state ${tone} ${compact ? "compact" : ""}`}>
      <span class="ic">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children && <div class="do">{children}</div>}
    </div>
  );
}

/** The shape of what is coming. */
export function Skeleton({ rows = 3, pass = false }: { rows?: number; pass?: boolean }) {
  return (
    <div class="p-skeleton" role="status" aria-label={_("Loading")}>
      {pass && (
        <div class="pass">
          <div>
            <span class="skeleton title" />
            <span class="skeleton short" />
            <span class="skeleton block" />
          </div>
        </div>
      )}
      <div class="acts skeletons">
        {Array.from({ length: rows }, (_row, index) => (
          <span key={index} class={`skeleton ${index % 2 ? "short" : ""}`} />
        ))}
      </div>
    </div>
  );
}

/** In the place of what the server has not told yet: it is on its way, or why it is not. */
export function NotLoaded({ rows, pass = false }: { rows: number; pass?: boolean }) {
  if (online.value && !trouble.value) return <Skeleton rows={rows} pass={pass} />;
  const text = trouble.value?.detail ?? _("It shows up as soon as you are back online. Checking in works meanwhile.");
  return (
    <div class="acts">
      <State icon="cloud-off" tone="warn" title={_("Your night could not be loaded")} text={text}>
        <button type="button" class="btn" onClick={() => void sync()}>
          {_("Try again")}
        </button>
      </State>
    </div>
  );
}
