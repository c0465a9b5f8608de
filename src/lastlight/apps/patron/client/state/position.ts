// Where the phone is: asked only when a venue needs it, kept nowhere but in the check-in that it belongs to.
import type { Position } from "../data/types";

const PATIENCE_MS = 20_000;
const FRESH_MS = 15_000;

export type Located = { position: Position } | { failed: "denied" | "unavailable" | "unsupported" };

/** Ask the phone for its position; the browser asks the person first. */
export function locate(): Promise<Located> {
  if (!("geolocation" in navigator)) return Promise.resolve({ failed: "unsupported" });
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({
          position: { lat: round(coords.latitude, 6), lon: round(coords.longitude, 6), accuracy_m: round(coords.accuracy, 1) },
        }),
      (error) => resolve({ failed: error.code === error.PERMISSION_DENIED ? "denied" : "unavailable" }),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: FRESH_MS },
    );
  });
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
