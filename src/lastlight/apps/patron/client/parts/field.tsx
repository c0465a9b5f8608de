// One labelled input; what is wrong with it stands under it and is read with it.
import { useId } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";

interface Props {
  label: string;
  name: string;
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "email" | "password";
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
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const shared = {
    id,
    name,
    class: "input",
    value,
    autocomplete,
    maxLength,
    required,
    autofocus,
    ...(literal ? { autocapitalize: "off" as const, spellcheck: false } : {}),
    "aria-invalid": error ? true : undefined,
    "aria-describedby": described || undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === "password" ? <input {...shared} type="password" /> : type === "email" ? <input {...shared} type="email" /> : <input {...shared} type="text" />}
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && (
        <span class="err" id={`${id}-error`}>
          <Icon name="circle-alert" />
          {error}
        </span>
      )}
    </div>
  );
}
