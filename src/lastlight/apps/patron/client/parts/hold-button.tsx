// A button that counts only when it is held. A short touch may mean something else; a key or a switch that cannot be held counts down.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Hold } from "../../../../ui/js/hold";

const HOLD_MS = 1_500;

interface Props {
  class: string;
  onHeld: () => void;
  /** What a short touch, or a key, does instead of holding. */
  onTap?: () => void;
  /** Nothing shows while it is held. */
  hidden?: boolean;
  describedBy?: string;
  children: (holding: boolean) => ComponentChildren;
}

export function HoldButton({ class: css, onHeld, onTap, hidden = false, describedBy, children }: Props) {
  const [held, setHeld] = useState(0);
  const fired = useRef(false);
  const told = useRef(onHeld);
  told.current = onHeld;
  const hold = useRef<Hold | null>(null);
  hold.current ??= new Hold(HOLD_MS, {
    tick: setHeld,
    end: (whole) => {
      setHeld(0);
      fired.current = whole;
      if (whole) told.current();
    },
  });
  const timer = hold.current;
  useEffect(() => () => timer.cancel(), []);
  const start = () => {
    fired.current = false;
    timer.start();
  };
  const key = (event: KeyboardEvent) => {
    if (onTap || (event.key !== " " && event.key !== "Enter")) return;
    event.preventDefault();
    if (!event.repeat) start();
  };
  // A click that no pointer made: a screen reader or a switch. Where keys open something, they click too.
  const click = (event: MouseEvent) => {
    if (fired.current) return void (fired.current = false);
    if (onTap) return onTap();
    const pointed = event.detail !== 0 || (event as PointerEvent).pointerType;
    if (pointed) return;
    if (timer.running) timer.cancel();
    else start();
  };
  const shown = held > 0 && !hidden;
  return (
    <button
      type="button"
      class={css}
      data-state={shown ? "hold" : undefined}
      style={{ "--held": shown ? held / HOLD_MS : 0 }}
      aria-describedby={describedBy}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        start();
      }}
      onPointerUp={() => timer.cancel()}
      onPointerCancel={() => timer.cancel()}
      onBlur={() => timer.cancel()}
      onKeyDown={key}
      onKeyUp={() => !onTap && timer.cancel()}
      onContextMenu={(event) => event.preventDefault()}
      onClick={click}
    >
      {children(shown)}
    </button>
  );
}
