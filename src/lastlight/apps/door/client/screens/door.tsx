// The door: the camera, which way guests go, and other ways to give a code. Everything within a thumb's reach.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Field } from "../../../../ui/js/parts/field";
import type { CameraTrouble } from "../../../../ui/js/scanner/camera";
import { Viewfinder } from "../../../../ui/js/scanner/viewfinder";
import { readShown } from "../data/pass";
import { AnswerScreen } from "../parts/answer";
import { LogSheet, Notices, Recent, Room } from "../parts/log";
import { MenuSheet } from "../parts/menu";
import { NetLine, StatusBar } from "../parts/status";
import { maintenance, online, snapshot, sync } from "../state/door";
import { mode, result, takeScan } from "../state/scan";
import { listenToWedge } from "../state/wedge";

/** A pass that has been out of the frame for so long is held out anew. */
const FORGET_AFTER_MS = 1_200;

export function DoorScreen() {
  const [sheet, setSheet] = useState<"" | "log" | "menu" | "typed">("");
  const close = () => setSheet("");
  useEffect(() => listenToWedge((text) => void takeScan(text)), []);
  return (
    <main class="d-door" id="main" data-mode={mode.value}>
      <StatusBar onLog={() => setSheet("log")} onMenu={() => setSheet("menu")} />
      <Room />
      <Notices />
      <div class="d-stage">{stage()}</div>
      <NetLine />
      <Recent />
      <Controls onType={() => setSheet("typed")} />
      {sheet === "log" && <LogSheet onClose={close} />}
      {sheet === "menu" && <MenuSheet onClose={close} />}
      {sheet === "typed" && <TypedCode onClose={close} />}
      {result.value && <AnswerScreen answer={result.value} />}
    </main>
  );
}

function stage() {
  if (maintenance.value) {
    return <Standstill icon="wrench" title={_("Set aside")} text={_("A manager has set this device aside. It scans again when its maintenance ends; use another one meanwhile.")} />;
  }
  if (!snapshot.value) {
    return (
      <Standstill icon="cloud-off" title={_("This venue is not known here yet")} text={_("This device needs a network once, to learn keys, bans and who is inside.")}>
        <button type="button" class="btn lg" onClick={() => void sync()}>
          {_("Try again")}
        </button>
      </Standstill>
    );
  }
  return (
    <Viewfinder
      paused={false}
      words={cameraWords()}
      onCode={takeScan}
      sameAs={(text) => readShown(text)?.pass ?? text}
      forgetAfterMs={FORGET_AFTER_MS}
    />
  );
}

// icons: wrench, cloud-off, keyboard, log-in, log-out, hand
function Standstill({ icon, title, text, children }: { icon: string; title: string; text: string; children?: preact.ComponentChildren }) {
  return (
    <div class="state warn">
      <span class="ic">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children && <div class="do">{children}</div>}
    </div>
  );
}

function Controls({ onType }: { onType: () => void }) {
  return (
    <div class="d-controls">
      <div class="d-mode" role="group" aria-label={_("Which way guests go")}>
        <button type="button" aria-pressed={mode.value === "in"} onClick={() => (mode.value = "in")}>
          <Icon name="log-in" />
          {_("Coming in")}
        </button>
        <button type="button" aria-pressed={mode.value === "out"} onClick={() => (mode.value = "out")}>
          <Icon name="log-out" />
          {_("Leaving")}
        </button>
      </div>
      <button type="button" class="d-btn" onClick={onType} disabled={maintenance.value || !snapshot.value}>
        <Icon name="keyboard" />
        {_("Type the code")}
      </button>
    </div>
  );
}

function TypedCode({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() && takeScan(text)) onClose();
  };
  return (
    <Dialog label={_("Type the code")} onClose={onClose} class="d-sheet">
      <h2>{_("Type or paste the code")}</h2>
      <p>{_("A hardware scanner needs no field: scan from anywhere on the screen.")}</p>
      <form class="d-form" onSubmit={submit}>
        <Field label={_("Code of the pass")} name="code" value={text} onValue={setText} literal autofocus />
        <button type="submit" class="d-btn strong" disabled={!text.trim()}>
          {_("Check")}
        </button>
      </form>
      {online.value && (
        <a class="d-btn" href="/staff/admit">
          <Icon name="hand" />
          {_("A guest without a phone")}
        </a>
      )}
      <button type="button" class="d-btn" onClick={onClose}>
        {_("Back to the camera")}
      </button>
    </Dialog>
  );
}

function cameraWords(): Record<CameraTrouble, [string, string]> {
  return {
    denied: [_("The camera is blocked"), _("Allow Camera for Last Light in the site's settings of this browser, then try again. A hardware scanner works without.")],
    none: [_("No camera here"), _("Use a hardware scanner, from anywhere on this screen, or type the code.")],
    busy: [_("The camera is busy"), _("Another app may be using it. Close that app and try again; a hardware scanner works without.")],
    unloaded: [_("The camera's reader is not on this device yet"), _("It needs a network the first time. A hardware scanner works without.")],
    unsupported: [_("No camera in this browser"), _("Use a hardware scanner, from anywhere on this screen, or type the code.")],
  };
}
