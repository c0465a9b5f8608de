// The camera: opened for as long as the scanner is on screen, with the light and the lens where the phone has them.
export type CameraTrouble = "denied" | "none" | "busy" | "unsupported" | "unloaded";
export type Opened = { camera: Camera } | { trouble: CameraTrouble };

export interface Camera {
  stream: MediaStream;
  hasTorch: boolean;
  deviceId: string;
}

interface TorchCapabilities extends MediaTrackCapabilities {
  torch?: boolean;
}

export async function openCamera(deviceId?: string): Promise<Opened> {
  // Browsers give a camera to secure pages only: https, or this machine.
  if (!navigator.mediaDevices?.getUserMedia) return { trouble: "unsupported" };
  const which: MediaTrackConstraints = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...which, width: { ideal: 1280 }, height: { ideal: 1280 } } });
    const track = stream.getVideoTracks()[0];
    const capabilities = (track?.getCapabilities?.() ?? {}) as TorchCapabilities;
    return { camera: { stream, hasTorch: capabilities.torch === true, deviceId: track?.getSettings().deviceId ?? "" } };
  } catch (error) {
    return { trouble: troubleOf(error) };
  }
}

export function closeCamera({ stream }: Camera): void {
  for (const track of stream.getTracks()) track.stop();
}

export async function setTorch({ stream }: Camera, on: boolean): Promise<boolean> {
  const wanted = { advanced: [{ torch: on } as MediaTrackConstraintSet] };
  return stream.getVideoTracks()[0]!.applyConstraints(wanted).then(() => true, () => false);
}

/** Hear that the camera is taken away: a call came in, another app took it, its cable was pulled. Returns how to stop. */
export function onTaken({ stream }: Camera, taken: () => void): () => void {
  const tracks = stream.getVideoTracks();
  for (const track of tracks) track.addEventListener("ended", taken);
  return () => {
    for (const track of tracks) track.removeEventListener("ended", taken);
  };
}

/** The next camera's id, or null when there is only one. */
export async function nextCamera({ deviceId }: Camera): Promise<string | null> {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  if (devices.length < 2) return null;
  const index = devices.findIndex((device) => device.deviceId === deviceId);
  return devices[(index + 1) % devices.length]!.deviceId;
}

export async function countCameras(): Promise<number> {
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput").length;
}

function troubleOf(error: unknown): CameraTrouble {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return "busy";
}
