// The app: who is here decides between the entrance and the views; the address decides which view.
import { useEffect, useRef } from "preact/hooks";
import { gettext as _ } from "../../../ui/js/i18n";
import { useAccent } from "./parts/brand";
import { NetBanner, TabBar } from "./parts/frame";
import { HelpSheet } from "./parts/help-sheet";
import { LookingBar } from "./parts/looking";
import { later } from "./parts/later";
import { Outcome } from "./parts/outcome";
import { SafetySheet } from "./parts/safety-sheet";
import { Skeleton } from "./parts/state";
import { Toasts } from "./parts/toast";
import { titleOf } from "./parts/words";
import { CodeScreen } from "./screens/code";
import { EntranceScreen } from "./screens/entrance";
import { HomeScreen } from "./screens/home";
import { ScanScreen } from "./screens/scan";
import { mustSignIn, standing } from "./state/night";
import { entering, view, type View } from "./state/route";

const SCREENS: Record<View, () => preact.JSX.Element | null> = {
  home: HomeScreen,
  scan: HomeScreen,
  activity: later("activity"),
  venues: later("venues"),
  venue: later("venue"),
  bookings: later("bookings"),
  credits: later("credits"),
  receipt: later("receipt"),
  pay: later("pay"),
  profile: later("profile"),
  code: CodeScreen,
  pass: later("pass"),
  "sign-in": HomeScreen,
  register: HomeScreen,
  forgot: HomeScreen,
};

export function App() {
  useViewTitle();
  useAccent();
  if (standing.value === "opening") return <Opening />;
  if (standing.value === "signed-out" || (mustSignIn.value && entering.value)) {
    return (
      <>
        <EntranceScreen />
        <Toasts />
      </>
    );
  }
  const Screen = SCREENS[view.value];
  return (
    <>
      <a class="skip" href="#main">
        {_("Skip to content")}
      </a>
      <LookingBar />
      <main class="p-app" id="main" data-view={view.value}>
        <Screen />
      </main>
      {view.value !== "pay" && <TabBar />}
      {view.value === "scan" && <ScanScreen />}
      <Outcome />
      <SafetySheet />
      <HelpSheet />
      <Toasts />
    </>
  );
}

function Opening() {
  return (
    <main class="p-app" aria-busy="true">
      <h1 class="sr">Last Light</h1>
      <NetBanner />
      <Skeleton pass rows={4} />
    </main>
  );
}

/** The title names the view, and a change of view moves the focus to its heading; the scanner gives it back itself. */
function useViewTitle(): void {
  const before = useRef<View | null>(null);
  const current = view.value;
  useEffect(() => {
    document.title = [titleOf(current), "Last Light"].filter(Boolean).join(" · ");
    const turned = before.current !== null && before.current !== "scan" && current !== "scan";
    before.current = current;
    if (turned) document.querySelector<HTMLElement>("#main h1")?.focus({ preventScroll: true });
  }, [current]);
}
