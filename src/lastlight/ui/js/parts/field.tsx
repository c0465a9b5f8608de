// One labelled input; what is wrong with it stands under it and is read with it.
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon";
import { gettext as _ } from "../i18n";

interface Props {
  label: string;
  name: string;
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "email" | "password" | "date";
  autocomplete?: string;
  maxLength?: number;
  hint?: string;
  error?: string;
  required?: boolean;
  /** Text that no dictionary should touch. */
  literal?: boolean;
  autofocus?: boolean;
}

export function Field({ label, name, value, onValue, type = "text", autocomplete = "off", maxLength = 2000, hint, error, required, literal, autofocus }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (autofocus) input.current?.focus();
  }, []);
  const wrong = error && required && !value.trim() ? _("This is needed.") : error;
  const described = [hint && `${id}-hint`, wrong && `${id}-error`].filter(Boolean).join(" ");
  const shared = {
    id,
    ref: input,
    name,
    class: "input",
    value,
    autocomplete,
    maxLength,
    required,
    ...(literal ? { autocapitalize: "off" as const, spellcheck: false } : {}),
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": described || undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === "password" ? (
        <input {...shared} type="password" />
      ) : type === "email" ? (
        <input {...shared} type="email" />
      ) : type === "date" ? (
        <input {...shared} type="date" />
      ) : (
        <input {...shared} type="text" />
      )}
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {wrong && (
        <span class="err" id={`${id}-error`}>
          <Icon name="circle-alert" />
          {wrong}
        </span>
      )}
    </div>
  );
}

interface PasswordProps {
  label: string;
  name: string;
  value: string;
  onValue: (value: string) => void;
  autocomplete: "current-password" | "new-password";
  error?: string;
  hint?: string;
}

/** A password that may be looked at while it is typed. */
export function PasswordField(props: PasswordProps) {
  const [shown, setShown] = useState(false);
  return (
    <div class="p-password">
      <Field {...props} type={shown ? "text" : "password"} required literal maxLength={200} />
      <button type="button" class="btn icon ghost" aria-pressed={shown} aria-label={_("Show the password")} onClick={() => setShown(!shown)}>
        <Icon name={shown ? "eye-off" : "eye"} />
      </button>
    </div>
  );
}

// icons: eye, eye-off
/** What is wrong with the whole form, read out at once. */
export function Alert({ text }: { text: string }) {
  return (
    <div role="alert" class="p-alert">
      {text && (
        <div class="net danger">
          <Icon name="circle-alert" class="i-lg" />
          <span>{text}</span>
        </div>
      )}
    </div>
  );
}
