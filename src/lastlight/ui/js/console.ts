// The consoles' only script: htmx for fragments, Stimulus for behaviour, sockets for signals.
import htmx from "htmx.org";
import { Application } from "@hotwired/stimulus";
import { useLanguage } from "./i18n";
import { startLive } from "./live";
import { reportFailures } from "./failures";
import { waitForHands } from "./patience";
import { keepPush } from "./push/console";
import { keepForNoNetwork } from "./kept";
import ChartController from "./controllers/chart";
import ClockController from "./controllers/clock";
import CopyController from "./controllers/copy";
import CurrentController from "./controllers/current";
import DatesController from "./controllers/dates";
import DialogController from "./controllers/dialog";
import DoorController from "./controllers/door";
import DrawerController from "./controllers/drawer";
import ExportController from "./controllers/export";
import FormController from "./controllers/form";
import KeepController from "./controllers/keep";
import KeptController from "./controllers/kept";
import MenuController from "./controllers/menu";
import OpenerController from "./controllers/opener";
import PaletteController from "./controllers/palette";
import PrintController from "./controllers/print";
import ReorderController from "./controllers/reorder";
import PositionController from "./controllers/position";
import PushController from "./controllers/push";
import PasskeyController from "./controllers/passkey";
import SelectionController from "./controllers/selection";
import SignOutController from "./controllers/sign-out";
import SirenController from "./controllers/siren";
import SosController from "./controllers/sos";
import TabsController from "./controllers/tabs";
import ThemeController, { followDevice } from "./controllers/theme";
import ToastsController from "./controllers/toasts";
import UploadController from "./controllers/upload";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;
void useLanguage(document.documentElement.lang).catch(() => undefined);
reportFailures();
waitForHands();
followDevice();

const application = Application.start();
application.register("chart", ChartController);
application.register("clock", ClockController);
application.register("copy", CopyController);
application.register("current", CurrentController);
application.register("dates", DatesController);
application.register("dialog", DialogController);
application.register("door", DoorController);
application.register("drawer", DrawerController);
application.register("export", ExportController);
application.register("form", FormController);
application.register("keep", KeepController);
application.register("kept", KeptController);
application.register("menu", MenuController);
application.register("opener", OpenerController);
application.register("palette", PaletteController);
application.register("print", PrintController);
application.register("reorder", ReorderController);
application.register("position", PositionController);
application.register("push", PushController);
application.register("passkey", PasskeyController);
application.register("selection", SelectionController);
application.register("sign-out", SignOutController);
application.register("siren", SirenController);
application.register("sos", SosController);
application.register("tabs", TabsController);
application.register("theme", ThemeController);
application.register("toasts", ToastsController);
application.register("upload", UploadController);

if (document.body.dataset.live === "true") startLive();
void keepPush().catch(() => undefined); // without a network it is tried again on the next page
void keepForNoNetwork().catch(() => undefined);
