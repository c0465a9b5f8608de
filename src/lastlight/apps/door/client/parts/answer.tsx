// The answer, as large as the screen: a colour, a word, a sign, a sound. Never the colour alone.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Field } from "../../../../ui/js/parts/field";
import { Refused, Unreachable } from "../../../../ui/js/wire/api";
import { inside, member, online, snapshot } from "../state/door";
import { dismiss, letInByHand, reasonOf, type Result } from "../state/scan";
import { adviceFor, clock, entranceText, SIGNS, wordsFor, wordsForShort } from "./words";

// icons: hand
const GOOD_NEWS_MS = 2_400;
const BAD_NEWS_MS = 12_000;

export function AnswerScreen({ answer }: { answer: Result }) {
  const [byHand, setByHand] = useState(false);
  const mustLook = isUnseen(answer);
  useEffect(() => setByHand(false), [answer]);
  useEffect(() => {
    if (byHand) return;
    const timer = setTimeout(dismiss, (answer.tone === "yes" || answer.tone === "bye") && !mustLook ? GOOD_NEWS_MS : BAD_NEWS_MS);
    return () => clearTimeout(timer);
  }, [answer, byHand]);
  const { word, advice } = wordsOf(answer);
  if (byHand && answer.shown) return <ByHand answer={answer} onBack={() => setByHand(false)} />;
  return (
    <Dialog label={word} onClose={dismiss} class="d-answer">
      <div class="d-answer-in" data-tone={answer.tone} data-ms={answer.tookMs} onClick={dismiss}>
        <div class="d-said" role="alert">
          <span class="d-sign">
            <Icon name={SIGNS[answer.tone]} />
          </span>
          <h2>{word}</h2>
          {answer.name && <p class="d-name">{answer.name}</p>}
          <p class={`d-advice ${mustLook ? "must" : ""}`}>{advice}</p>
          {answer.unwritten && <p class="d-advice must">{_("NOT written down: this device could not keep it. Leave this page open, free space on the device, or scan with another one.")}</p>}
          {answer.tone === "yes" && isFull() && <p class="d-advice must">{_("Full: one in, one out.")}</p>}
        </div>
        <Facts answer={answer} />
        <div class="d-answer-do" onClick={(event) => event.stopPropagation()}>
          {answer.overridable && answer.shown && (
            <button type="button" class="d-btn" onClick={() => setByHand(true)}>
              <Icon name="hand" />
              {_("Let in by hand")}
            </button>
          )}
          <button type="button" class="d-btn strong" onClick={dismiss} autofocus>
            {_("Next guest")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** Let in where there is an age limit, although nobody knows how old they are: somebody looks at an ID. */
function isUnseen({ what, age }: Result): boolean {
  return what === "admitted" && age === null && snapshot.value?.age_limit != null;
}

/** As many are in as may be: from now on somebody leaves before the next comes in. */
function isFull(): boolean {
  const most = snapshot.value?.capacity ?? null;
  return most !== null && inside.value !== null && inside.value >= most;
}

/** The word and the advice. A guest whose age nobody knows is not called too young. */
function wordsOf(answer: Result): { word: string; advice: string } {
  const { what, age, detail } = answer;
  if (what === "under-age" && age === null) return wordsFor("age-unknown");
  if (what === "entry-unpaid" && answer.entrance) return wordsForShort(answer.entrance);
  const check = _("Check an ID: nobody knows their age, and it is %(limit)s+ here.", { limit: snapshot.value?.age_limit ?? 0 });
  return { word: wordsFor(what).word, advice: isUnseen(answer) ? check : adviceFor(what, detail) };
}

function Facts({ answer }: { answer: Result }) {
  const house = snapshot.value;
  const facts: string[] = [];
  if (house?.age_limit != null && answer.shown && answer.what !== "code-forged") {
    const age = answer.age === null ? _("Age not known") : _("%(age)s years", { age: answer.age });
    facts.push(_("%(age)s · %(limit)s+ here", { age, limit: house.age_limit }));
  }
  const paid = entranceText(answer.entrance, answer.offline && answer.what === "admitted");
  if (paid) facts.push(paid);
  if (inside.value !== null) facts.push(house?.capacity ? _("%(inside)s of %(all)s inside", { inside: inside.value, all: house.capacity }) : _("%(inside)s inside", { inside: inside.value }));
  if (answer.offline && house) facts.push(_("Decided here, as of %(time)s", { time: clock(house.at) }));
  return (
    <ul class="d-facts">
      {facts.map((fact) => (
        <li key={fact}>{fact}</li>
      ))}
    </ul>
  );
}

function ByHand({ answer, onBack }: { answer: Result; onBack: () => void }) {
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState("");
  const [working, setWorking] = useState(false);
  const colleague = member.value;
  const letIn = async (event: Event) => {
    event.preventDefault();
    if (!reason.trim()) return setWrong(_("Say why; it stands in the history."));
    setWorking(true);
    await letInByHand(answer.shown!, reason.trim()).catch((error: unknown) => setWrong(whyNot(error)));
    setWorking(false);
  };
  return (
    <Dialog label={_("Let in by hand")} onClose={onBack} class="d-sheet">
      <h2>{answer.name ? _("Let %(name)s in by hand", { name: answer.name }) : _("Let in by hand")}</h2>
      <p>{_("The rule that refused: %(rule)s. Your name and the reason stand with it.", { rule: wordsOf(answer).word })}</p>
      {colleague?.may_override ? (
        <form onSubmit={(event) => void letIn(event)} class="d-form">
          <div class="d-reasons" role="group" aria-label={_("Reasons")}>
            {[_("Age checked on an ID"), _("On the guest list"), _("With a member of staff"), _("Manager decided")].map((one) => (
              <button key={one} type="button" class="btn" aria-pressed={reason === one} onClick={() => setReason(one)}>
                {one}
              </button>
            ))}
          </div>
          <Field label={_("Why")} name="reason" value={reason} onValue={setReason} maxLength={500} error={wrong || undefined} />
          <p class="d-who">{_("As %(name)s", { name: colleague.name })}</p>
          <button type="submit" class="d-btn strong" aria-busy={working} disabled={working}>
            {_("Let in")}
          </button>
        </form>
      ) : (
        <p class="net warn">
          <Icon name="key-round" class="i-lg" />
          <span>{colleague ? _("Your role does not let guests in by hand. Ask a manager to sign in here.") : _("Nobody who works here is signed in on this device.")}</span>
          {online.value && !colleague && (
            <a class="btn" href="/sign-in?next=/staff/door">
              {_("Sign in")}
            </a>
          )}
        </p>
      )}
      <button type="button" class="d-btn" onClick={onBack}>
        {_("Back")}
      </button>
    </Dialog>
  );
}

function whyNot(error: unknown): string {
  if (error instanceof Refused) return reasonOf(error);
  return error instanceof Unreachable ? _("There is no network, and nobody known here may let guests in without one.") : _("That did not work. Try again.");
}
