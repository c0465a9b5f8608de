// A screen of the later script: shown at once where that is here, which it is soon after the first load.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { gettext as _ } from "../../../../ui/js/i18n";
import { online } from "../state/device";
import { view } from "../state/route";
import { Header, NetBanner } from "./frame";
import { Skeleton, State } from "./state";
import { titleOf } from "./words";

type Screens = typeof import("../screens/later");

const screens = signal<Screens | null>(null);
const failed = signal(false);

export async function fetchLater(): Promise<void> {
  failed.value = false;
  try {
    screens.value ??= await import("../screens/later");
  } catch {
    failed.value = true;
  }
}

export function later(name: keyof Screens): () => preact.JSX.Element {
  return () => {
    const Screen = screens.value?.[name];
    useHandedOnFocus(Screen !== undefined);
    return Screen ? <Screen /> : <Awaited />;
  };
}

function Awaited() {
  useEffect(() => {
    void fetchLater();
  }, [online.value]);
  return (
    <>
      <Header title={titleOf(view.value)} />
      <NetBanner />
      {failed.value ? <NotHere /> : <Skeleton rows={4} />}
    </>
  );
}

/** The heading of the wait goes with it, and the focus with the heading: the screen's own takes it. */
function useHandedOnFocus(isHere: boolean): void {
  const waited = useRef(false);
  useEffect(() => {
    if (isHere && waited.current && document.activeElement === document.body) document.querySelector<HTMLElement>("#main h1")?.focus({ preventScroll: true });
    waited.current = !isHere;
  }, [isHere]);
}

/** Not fetched before the network went, or replaced by a newer version: the page is loaded anew, which brings both. */
function NotHere() {
  return (
    <div class="acts">
      <State icon="cloud-off" tone="warn" title={_("This screen is not on this phone yet")} text={_("It needs signal once, and works without from then on.")}>
        {online.value && (
          <button type="button" class="btn" onClick={() => location.reload()}>
            {_("Try again")}
          </button>
        )}
      </State>
    </div>
  );
}
