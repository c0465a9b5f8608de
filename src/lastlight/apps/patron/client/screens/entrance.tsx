// Before the app knows anybody: sign in, or create an account.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Refused } from "../data/api";
import { readCode } from "../data/code";
import { useAttempt } from "../parts/attempt";
import { Field } from "../parts/field";
import { register, signIn } from "../state/account";
import { online } from "../state/device";
import { me } from "../state/night";
import { codeInAddress, go, hrefOf, view } from "../state/route";
import { usePlaceName } from "./code";

export function EntranceScreen() {
  const registering = view.value === "register";
  const code = readCode(codeInAddress.value ?? "");
  const place = usePlaceName(code?.text ?? "", code?.venueId ?? "");
  return (
    <main class="p-app p-entrance" id="main">
      <div class="p-brand">
        <span class="mark" aria-hidden="true" />
        <span>Last Light</span>
      </div>
      <div>
        <h1 tabIndex={-1}>{registering ? _("Join the night") : place ? _("You're at %(venue)s", { venue: place }) : _("Your night starts here")}</h1>
        <p class="lead">{registering ? _("One account for every door.") : _("Sign in, scan the code at the door, and you are in.")}</p>
      </div>
      {!online.value && (
        <div class="net" role="status">
          <Icon name="cloud-off" class="i-lg" />
          <span>
            <b>{_("No connection.")}</b> <span class="sub">{_("The first time needs signal; after that this phone checks you in without.")}</span>
          </span>
        </div>
      )}
      {registering ? <RegisterForm /> : <SignInForm />}
    </main>
  );
}

function SignInForm() {
  const { busy, failed, fields, run } = useAttempt();
  const [email, setEmail] = useState(me.value?.email ?? "");
  const [password, setPassword] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      await signIn(email.trim(), password);
      if (view.value === "sign-in") go("home", { replace: true });
    });
  };
  return (
    <form class="form p-form" onSubmit={submit} noValidate>
      <Failed text={failed} />
      <Field label={_("E-mail")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} error={fields.email} />
      <PasswordField value={password} onValue={setPassword} autocomplete="current-password" error={fields.password} />
      <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy || !email || !password}>
        {_("Sign in")}
      </button>
      <p class="p-form-links">
        <a class="link" href="/forgot">
          {_("Forgot your password?")}
        </a>
        <a class="link" href={hrefOf("register")}>
          {_("Create an account")}
        </a>
      </p>
    </form>
  );
}

function RegisterForm() {
  const { busy, failed, fields, run } = useAttempt();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [mailed, setMailed] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      try {
        await register(name.trim(), email.trim(), password);
        go("home", { replace: true });
      } catch (error) {
        // The address has an account already, which only its mailbox is told.
        if (!(error instanceof Refused && error.problem.type === "wrong-credentials")) throw error;
        setMailed(true);
      }
    });
  };
  if (mailed) return <LookIntoMailbox email={email} />;
  return (
    <form class="form p-form" onSubmit={submit} noValidate>
      <Failed text={failed && !Object.keys(fields).length ? failed : ""} />
      <Field label={_("Name")} name="name" autocomplete="name" required maxLength={120} value={name} onValue={setName} error={fields.name} hint={_("Staff see it when you check in.")} />
      <Field label={_("E-mail")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} error={fields.email} />
      <PasswordField value={password} onValue={setPassword} autocomplete="new-password" error={fields.password} hint={_("At least 10 characters; a short sentence is best.")} />
      <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy || !name.trim() || !email || !password}>
        {_("Create account")}
      </button>
      <p class="p-form-links">
        <a class="link" href={hrefOf("sign-in")}>
          {_("I have an account")}
        </a>
      </p>
    </form>
  );
}

interface PasswordProps {
  value: string;
  onValue: (value: string) => void;
  autocomplete: "current-password" | "new-password";
  error?: string;
  hint?: string;
}

function PasswordField({ value, onValue, autocomplete, error, hint }: PasswordProps) {
  const [shown, setShown] = useState(false);
  return (
    <div class="p-password">
      <Field label={_("Password")} name="password" type={shown ? "text" : "password"} autocomplete={autocomplete} required maxLength={200} value={value} onValue={onValue} error={error} hint={hint} />
      <button type="button" class="btn icon ghost" aria-pressed={shown} aria-label={_("Show the password")} onClick={() => setShown(!shown)}>
        <Icon name={shown ? "eye-off" : "eye"} />
      </button>
    </div>
  );
}

// icons: eye, eye-off
function LookIntoMailbox({ email }: { email: string }) {
  return (
    <div class="net ok" role="status">
      <Icon name="mail" class="i-lg" />
      <span>
        <b>{_("Look into your mailbox.")}</b>{" "}
        <span class="sub">
          {_("We have written to %(email)s. If you have an account already, sign in with its password.", { email })}{" "}
          <a class="link" href={hrefOf("sign-in")}>
            {_("Sign in")}
          </a>
        </span>
      </span>
    </div>
  );
}

function Failed({ text }: { text: string }) {
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
