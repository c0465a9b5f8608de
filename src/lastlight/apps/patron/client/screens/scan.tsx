// The scanner: camera, or the text of the code, or a picture of it. It works without a network.
import { useRef, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { readCode } from "../data/code";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Field } from "../../../../ui/js/parts/field";
import { workingText } from "../parts/outcome";
import type { CameraTrouble } from "../../../../ui/js/scanner/camera";
import { textOf } from "../../../../ui/js/scanner/picture";
import { Viewfinder } from "../../../../ui/js/scanner/viewfinder";
import { checkIn, flow } from "../state/checkin";
import { online } from "../state/device";
import { present } from "../state/night";
import { go } from "../state/route";

const NOT_OURS = () => _("That is not a check-in code. Look for the one on the venue's screen or poster.");

export function ScanScreen() {
  const [typing, setTyping] = useState(false);
  const [note, setNote] = useState("");
  const close = () => go("home", { replace: true });
  const found = (text: string) => {
    setNote(readCode(text) ? "" : NOT_OURS());
    if (readCode(text)) void checkIn(text);
  };
  const turnTo = (typed: boolean) => {
    setNote("");
    setTyping(typed);
  };
  const state = flow.value;
  const busy = state.step === "working" ? workingText(state.doing) : "";
  return (
    <Dialog label={_("Scan to check in")} onClose={close} class="scanner">
      {typing ? <TypedCode onCode={found} onBack={() => turnTo(false)} note={note} /> : <Viewfinder onCode={found} paused={state.step !== "idle"} words={cameraWords()} />}
      <div class="p-scan-top">
        <button type="button" class="btn icon" aria-label={_("Close")} onClick={close}>
          <Icon name="x" class="i-lg" />
        </button>
      </div>
      {!typing && (
        <div class="p-scan-foot">
          <h2>{present.value ? _("Scan another venue's code") : _("Point at the code by the door")}</h2>
          <p role="status" class={note ? "warn" : ""}>
            {busy || note || (online.value ? _("It checks you in as soon as it is in the frame.") : _("No signal: we save it and check it when you are back online."))}
          </p>
          <div class="p-scan-ways">
            <button type="button" class="btn lg" onClick={() => turnTo(true)}>
              <Icon name="keyboard" />
              {_("Type the code")}
            </button>
            <PictureButton onCode={found} onNote={setNote} />
          </div>
        </div>
      )}
    </Dialog>
  );
}

function cameraWords(): Record<CameraTrouble, [string, string]> {
  return {
    denied: [
      _("The camera is blocked"),
      _("Allow Camera for Last Light in the site's settings of your browser (the icon beside the address), then try again. Typing the code works as well."),
    ],
    none: [_("No camera here"), _("Type the code that stands under the square, or choose a picture of it.")],
    busy: [_("The camera is busy"), _("Another app may be using it. Close that app and try again, or type the code.")],
    unloaded: [
      _("The scanner is not on this phone yet"),
      _("It needs signal the first time. Load it again when you have some; typing the code works without."),
    ],
    unsupported: [_("No camera in this browser"), _("Open Last Light over https in your phone's own browser, or type the code.")],
  };
}

interface TypedProps {
  onCode: (text: string) => void;
  onBack: () => void;
  note: string;
}

function TypedCode({ onCode, onBack, note }: TypedProps) {
  const [text, setText] = useState("");
  const busy = flow.value.step === "working";
  return (
    <form
      class="p-typed"
      onSubmit={(event) => {
        event.preventDefault();
        onCode(text);
      }}
    >
      <h2>{_("Type or paste the code")}</h2>
      <Field
        label={_("Code, or the link in it")}
        name="code"
        literal
        value={text}
        onValue={setText}
        error={note || undefined}
        autofocus
      />
      <button type="submit" class="p-btn go" disabled={busy} aria-busy={busy}>
        {_("Check in")}
      </button>
      <button type="button" class="p-btn" onClick={onBack}>
        <Icon name="camera" />
        {_("Back to the camera")}
      </button>
    </form>
  );
}

function PictureButton({ onCode, onNote }: { onCode: (text: string) => void; onNote: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    const text = await textOf(file);
    if (text) onCode(text);
    else onNote(_("There is no code in that picture. Try one that is sharper and closer."));
  };
  return (
    <>
      <button type="button" class="btn lg" onClick={() => input.current?.click()}>
        <Icon name="image" />
        {_("From a picture")}
      </button>
      <input
        ref={input}
        class="sr"
        type="file"
        accept="image/*"
        tabIndex={-1}
        aria-label={_("A picture of the code")}
        onChange={(event) => {
          const files = event.currentTarget.files;
          void read(files?.[0]).finally(() => (input.current!.value = ""));
        }}
      />
    </>
  );
}
