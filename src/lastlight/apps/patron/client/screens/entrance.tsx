// Before the app knows anybody: sign in, create an account, or ask for a new password. A code that was scanned outside waits meanwhile.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Refused } from "../../../../ui/js/wire/api";
import { readCode } from "../data/code";
import type { Problem } from "../data/types";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Alert, Field, PasswordField } from "../../../../ui/js/parts/field";
import { Sunset } from "../parts/pass";
import { forgotPassword, register, signIn, signInWithCode, signInWithPasskey } from "../state/account";
import { checkInScanned } from "../state/checkin";
import { online } from "../state/device";
import { me, mustSignIn, queued } from "../state/night";
import { entering, go, hrefOf, scannedOutside, view } from "../state/route";
import { usePlaceName } from "./code";

export function EntranceScreen() {
  const code = readCode(scannedOutside.value?.text ?? "");
  const place = usePlaceName(code?.text ?? "", code?.venueId ?? "");
  const [title, lead] = words(place, code !== null);
  return (
    <main class="p-app p-entrance" id="main">
      <div class="p-entrance-in">
        <div class="p-brand">
          <Sunset />
          <span>Last Light</span>
        </div>
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          <p class="lead">{lead}</p>
        </div>
        {!online.value && (
          <div class="net" role="status">
            <Icon name="cloud-off" class="i-lg" />
            <span>
              <b>{_("No connection.")}</b> <span class="sub">{_("The first time needs signal; after that this phone checks you in without.")}</span>
            </span>
          </div>
        )}
        {view.value === "register" ? <RegisterForm /> : view.value === "forgot" ? <ForgotForm /> : <SignInForm />}
      </div>
    </main>
  );
}

function words(place: string, scanned: boolean): [string, string] {
  if (view.value === "forgot") return [_("A new password"), _("We send a link to your mailbox. It works for one hour.")];
  if (mustSignIn.value && queued.value.length) return [_("Welcome back"), _("Your session has ended. What is saved on this phone is sent once you are in.")];
  if (place) return [_("You're at %(venue)s", { venue: place }), _("Sign in or create an account, and you are checked in.")];
  if (view.value === "register") return [_("Join the night"), _("One account for every door.")];
  if (scanned) return [_("Almost in"), _("Sign in, and the code you scanned checks you in.")];
  return [_("Your night starts here"), _("Sign in, scan the code at the door, and you are in.")];
}

/** Where to, once somebody is in: on with the scanned code, else from the form to the start; who has gone on already stays there. */
async function enter(): Promise<void> {
  if (!(await checkInScanned()) && entering.value) go("home", { replace: true });
}

function SignInForm() {
  const { busy, failed, fields, run } = useAttempt();
  const [email, setEmail] = useState(me.value?.email ?? "");
  const [password, setPassword] = useState("");
  const [step, setStep] = useState<Problem | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => {
      try {
        await signIn(email.trim(), password);
      } catch (error) {
        if (!(error instanceof Refused && error.problem.type === "second-factor-needed")) throw error;
        return setStep(error.problem);
      }
      await enter();
    });
  };
  if (step) return <SecondStepForm ticket={step.ticket ?? ""} methods={step.methods ?? ""} onBack={() => setStep(null)} />;
  return (
    <form class="form p-form" onSubmit={submit} noValidate>
      <Alert text={failed} />
      <Field label={_("E-mail")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} error={fields.email} />
      <PasswordField label={_("Password")} name="password" value={password} onValue={setPassword} autocomplete="current-password" error={fields.password} />
      <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy}>
        {scannedOutside.value ? _("Sign in and check in") : _("Sign in")}
      </button>
      <p class="p-form-links">
        <a class="link" href={hrefOf("forgot")}>
          {_("Forgot your password?")}
        </a>
        <a class="link" href={hrefOf("register")}>
          {_("Create an account")}
        </a>
      </p>
    </form>
  );
}

interface SecondStep {
  ticket: string;
  methods: string;
  onBack: () => void;
}

/** The password was right; what the account asks for besides. */
function SecondStepForm({ ticket, methods, onBack }: SecondStep) {
  const { busy, failed, fields, run } = useAttempt();
  const [code, setCode] = useState("");
  const app = methods.includes("app");
  const go = (how: () => Promise<void>) =>
    void run(async () => {
      await how();
      await enter();
    });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    go(() => signInWithCode(ticket, code.trim()));
  };
  return (
    <form class="form p-form" onSubmit={submit} noValidate>
      <Alert text={failed && !Object.keys(fields).length ? failed : ""} />
      {methods.includes("passkey") && (
        <button type="button" class="p-btn" onClick={() => go(() => signInWithPasskey(ticket))} disabled={busy}>
          <Icon name="fingerprint" />
          {_("Use a passkey")}
        </button>
      )}
      <Field
        label={app ? _("Code") : _("Recovery code")}
        name="code"
        autocomplete="one-time-code"
        required
        literal
        autofocus
        maxLength={40}
        value={code}
        onValue={setCode}
        error={fields.code}
        hint={app ? _("From your authenticator app, or one of your recovery codes.") : _("One of the codes that you kept when you set up your passkey.")}
      />
      <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy}>
        {_("Go on")}
      </button>
      <p class="p-form-links">
        <button type="button" class="link" onClick={onBack}>
          {_("Back to sign-in")}
        </button>
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
        await enter();
      } catch (error) {
        // The address has an account already, which only its mailbox is told.
        if (!(error instanceof Refused && error.problem.type === "wrong-credentials")) throw error;
        setMailed(true);
      }
    });
  };
  if (mailed) return <LookIntoMailbox text={_("We have written to %(email)s. If you have an account already, sign in with its password.", { email })} />;
  return (
    <form class="form p-form" onSubmit={submit} noValidate>
      <Alert text={failed && !Object.keys(fields).length ? failed : ""} />
      <Field label={_("Name")} name="name" autocomplete="name" required maxLength={120} value={name} onValue={setName} error={fields.name} hint={_("Staff see it when you check in.")} />
      <Field label={_("E-mail")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} error={fields.email} />
      <PasswordField label={_("Password")} name="password" value={password} onValue={setPassword} autocomplete="new-password" error={fields.password} hint={_("At least 10 characters; a short sentence is best.")} />
      <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy}>
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

function ForgotForm() {
  const { busy, failed, fields, run } = useAttempt();
  const [email, setEmail] = useState(me.value?.email ?? "");
  const [answer, setAnswer] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void run(async () => setAnswer(await forgotPassword(email.trim())));
  };
  if (answer) return <LookIntoMailbox text={answer} />;
  return (
    <form class="form p-form" onSubmit={submit} noValidate>
      <Alert text={failed && !Object.keys(fields).length ? failed : ""} />
      <Field label={_("E-mail")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} error={fields.email} />
      <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy}>
        {_("Send the link")}
      </button>
      <p class="p-form-links">
        <a class="link" href={hrefOf("sign-in")}>
          {_("Back to sign-in")}
        </a>
      </p>
    </form>
  );
}

function LookIntoMailbox({ text }: { text: string }) {
  return (
    <div class="net ok" role="status">
      <Icon name="mail" class="i-lg" />
      <span>
        <b>{_("Check your inbox.")}</b>{" "}
        <span class="sub">
          {text}{" "}
          <a class="link" href={hrefOf("sign-in")}>
            {_("Sign in")}
          </a>
        </span>
      </span>
    </div>
  );
}
