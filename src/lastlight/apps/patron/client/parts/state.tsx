// Nothing yet, still coming, or went wrong: each says so, and what to do.
import type { ComponentChildren } from "preact";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";

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
