// A pause that the server asked for, kept on a device whose clock somebody may set meanwhile.

export interface Pause {
  from: number;
  until: number;
}

export function pauseFor(ms: number): Pause {
  const from = Date.now();
  return { from, until: from + ms };
}

/** Whether it still lasts: a clock that is set back ends it, or the device would be silent for as long as it was set back. */
export function lasts(pause: Pause | undefined): boolean {
  const now = Date.now();
  return pause !== undefined && pause.from <= now && now < pause.until;
}
