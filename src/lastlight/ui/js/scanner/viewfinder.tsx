// The camera's picture and what is read from it: codes are delivered as they come into the frame.
import { useEffect, useRef, useState } from "preact/hooks";
import { gettext as _ } from "../i18n";
import { Icon } from "../icon";
import { late } from "../wire/late";
import { closeCamera, countCameras, nextCamera, onTaken, openCamera, setTorch, type Camera, type CameraTrouble } from "./camera";

const LOOK_EVERY_MS = 110;

export interface Sight {
  /** A code came into the frame; false when nobody has time for it now, and it is to come again. */
  onCode: (text: string) => boolean | void;
  /** What makes two codes the same thing in the frame; the text itself where this is left out. */
  sameAs?: (text: string) => string;
  /** After so long out of the frame a code counts as new; never, where this is left out. */
  forgetAfterMs?: number;
}

interface ViewfinderProps extends Sight {
  paused: boolean;
  /** A title and a sentence for each thing that can be wrong with a camera. */
  words: Record<CameraTrouble, [string, string]>;
}

export function Viewfinder({ paused, words, ...sight }: ViewfinderProps) {
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
  useReading(video, camera, paused, sight, () => setTrouble("unloaded"));
  useEffect(() => camera ? onTaken(camera, () => setTrouble("busy")) : undefined, [camera]);
  // Anew with whichever camera there is: the one that was picked may be gone.
  const retry = () => (trouble === "unloaded" ? location.reload() : setWanted({ turn: wanted.turn + 1 }));
  useEffect(() => (trouble === "busy" ? onReturn(retry) : undefined), [trouble, wanted]);
  if (trouble) return <NoCamera trouble={trouble} words={words[trouble]} onRetry={retry} />;
  return (
    <div class="p-view" data-state={camera ? "live" : "opening"}>
      <video ref={video} playsinline muted autoplay aria-hidden="true" />
      <span class="p-frame" aria-hidden="true" />
      {camera && <CameraTools camera={camera} onSwitch={(device) => setWanted({ device, turn: wanted.turn + 1 })} />}
    </div>
  );
}

/** Whoever comes back to the screen, after a call or from a locked phone, does not have to ask for the camera. */
function onReturn(back: () => void): () => void {
  const look = () => document.visibilityState === "visible" && back();
  document.addEventListener("visibilitychange", look);
  return () => document.removeEventListener("visibilitychange", look);
}

/** Look at the picture a few times a second, one look at a time. */
function useReading(
  video: { current: HTMLVideoElement | null },
  camera: Camera | null,
  paused: boolean,
  sight: Sight,
  onUnloaded: () => void,
): void {
  const now = useRef(sight);
  now.current = sight;
  useEffect(() => {
    if (!camera || paused || !video.current) return;
    const element = video.current;
    const look = lookingFor(now);
    let stopped = false;
    void (async () => {
      if (element.srcObject !== camera.stream) element.srcObject = camera.stream;
      await element.play().catch(() => undefined);
      const reader = await import("./detect").catch(() => null);
      if (!reader) return stopped || onUnloaded();
      while (!stopped) {
        const text = element.readyState >= 2 ? await reader.detect(element).catch(() => null) : null;
        if (!stopped) look(text);
        await late(LOOK_EVERY_MS);
      }
    })();
    return () => {
      stopped = true;
    };
  }, [camera, paused]);
}

/** Deliver each thing once for as long as it stays in the frame. */
function lookingFor(sight: { current: Sight }): (text: string | null) => void {
  let last = "";
  let seenAt = 0;
  return (text) => {
    const { onCode, sameAs = (code) => code, forgetAfterMs = Infinity } = sight.current;
    if (Date.now() - seenAt > forgetAfterMs) last = "";
    if (!text) return;
    const same = sameAs(text) === last;
    if (same || onCode(text) !== false) {
      last = sameAs(text);
      seenAt = Date.now();
    }
  };
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
function NoCamera({ trouble, words: [title, text], onRetry }: { trouble: CameraTrouble; words: [string, string]; onRetry: () => void }) {
  return (
    <div class="p-view off">
      <div class="state">
        <span class="ic">
          <Icon name="camera-off" />
        </span>
        <h2>{title}</h2>
        <p>{text}</p>
        {trouble !== "unsupported" && (
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
