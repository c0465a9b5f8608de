// The scanner: camera, or the text of the code, or a picture of it. It works without a network.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { readCode } from "../data/code";
import { Dialog } from "../parts/dialog";
import { Field } from "../parts/field";
import { workingText } from "../parts/outcome";
import { closeCamera, countCameras, nextCamera, openCamera, setTorch, type Camera, type CameraTrouble } from "../scanner/camera";
import { checkIn, flow } from "../state/checkin";
import { online } from "../state/device";
import { present } from "../state/night";
import { go } from "../state/route";

const LOOK_EVERY_MS = 110;
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
      {typing ? <TypedCode onCode={found} onBack={() => turnTo(false)} note={note} /> : <Viewfinder onCode={found} paused={state.step !== "idle"} />}
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

interface ViewfinderProps {
  onCode: (text: string) => void;
  paused: boolean;
}

function Viewfinder({ onCode, paused }: ViewfinderProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [camera, setCamera] = useState<Camera | null>(null);
  const [trouble, setTrouble] = useState<CameraTrouble | null>(null);
  const [wanted, setWanted] = useState<{ device?: string; turn: number }>({ turn: 0 });
  useEffect(() => {
    let gone = false;
    let opened: Camera | null = null;
    void openCamera(wanted.device).then((result) => {
      if ("trouble" in result) return gone || setTrouble(result.trouble);
      opened = result.camera;
      if (gone) return closeCamera(opened);
      setTrouble(null);
      setCamera(opened);
    });
    return () => {
      gone = true;
      if (opened) closeCamera(opened);
      setCamera(null);
    };
  }, [wanted]);
  useReading(video, camera, paused, onCode, () => setTrouble("unloaded"));
  if (trouble) return <NoCamera trouble={trouble} onRetry={() => (trouble === "unloaded" ? location.reload() : setWanted({ turn: wanted.turn + 1 }))} />;
  return (
    <div class="p-view" data-state={camera ? "live" : "opening"}>
      <video ref={video} playsinline muted autoplay aria-hidden="true" />
      <span class="p-frame" aria-hidden="true" />
      {camera && <CameraTools camera={camera} onSwitch={(device) => setWanted({ device, turn: wanted.turn + 1 })} />}
    </div>
  );
}

/** Look at the picture a few times a second, until there is a code; one look at a time. */
function useReading(
  video: { current: HTMLVideoElement | null },
  camera: Camera | null,
  paused: boolean,
  onCode: (text: string) => void,
  onUnloaded: () => void,
): void {
  const deliver = useRef(onCode);
  deliver.current = onCode;
  useEffect(() => {
    if (!camera || paused || !video.current) return;
    const element = video.current;
    let stopped = false;
    void (async () => {
      if (element.srcObject !== camera.stream) element.srcObject = camera.stream;
      await element.play().catch(() => undefined);
      const reader = await import("../scanner/detect").catch(() => null);
      if (!reader) return stopped || onUnloaded();
      const { detect } = reader;
      for (let last = ""; !stopped; await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))) {
        const text = element.readyState >= 2 ? await detect(element).catch(() => null) : null;
        if (text && text !== last && !stopped) deliver.current(text);
        last = text ?? last;
      }
    })();
    return () => {
      stopped = true;
    };
  }, [camera, paused]);
}

function CameraTools({ camera, onSwitch }: { camera: Camera; onSwitch: (device: string) => void }) {
  const [lit, setLit] = useState(false);
  const [several, setSeveral] = useState(false);
  useEffect(() => void countCameras().then((count) => setSeveral(count > 1)), [camera]);
  const toggle = async () => {
    if (await setTorch(camera, !lit)) setLit(!lit);
  };
  const turn = async () => {
    const next = await nextCamera(camera);
    if (next) onSwitch(next);
  };
  return (
    <div class="p-scan-tools">
      {camera.hasTorch && (
        <button type="button" class="btn icon" aria-pressed={lit} aria-label={_("Light")} onClick={() => void toggle()}>
          <Icon name={lit ? "flashlight-off" : "flashlight"} class="i-lg" />
        </button>
      )}
      {several && (
        <button type="button" class="btn icon" aria-label={_("Other camera")} onClick={() => void turn()}>
          <Icon name="switch-camera" class="i-lg" />
        </button>
      )}
    </div>
  );
}

// icons: flashlight, flashlight-off, camera-off
function NoCamera({ trouble, onRetry }: { trouble: CameraTrouble; onRetry: () => void }) {
  const words: Record<CameraTrouble, [string, string]> = {
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
  return (
    <div class="p-view off">
      <div class="state">
        <span class="ic">
          <Icon name="camera-off" />
        </span>
        <h2>{words[trouble][0]}</h2>
        <p>{words[trouble][1]}</p>
        {(trouble === "denied" || trouble === "busy" || trouble === "unloaded") && (
          <div class="do">
            <button type="button" class="btn" onClick={onRetry}>
              {_("Try again")}
            </button>
          </div>
        )}
      </div>
    </div>
  );
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

async function textOf(file: File): Promise<string | null> {
  try {
    const [{ detect }, picture] = await Promise.all([import("../scanner/detect"), createImageBitmap(file)]);
    return await detect(picture).finally(() => picture.close());
  } catch {
    return null;
  }
}
