// Screens that the first one does not need: a script of their own, fetched once the app runs and kept by the worker.
import "../main"; // all that they share with the app stands in the app's own script, so that the first load waits for one only
import { placeIcons } from "../../../../ui/js/icon";

export { ActivityScreen as activity } from "./activity";
export { BookingsScreen as bookings } from "./bookings";
export { CreditsScreen as credits } from "./credits";
export { PassScreen as pass } from "./pass";
export { PayScreen as pay } from "./pay";
export { ProfileScreen as profile } from "./profile";
export { ReceiptScreen as receipt } from "./receipt";
export { VenueScreen as venue } from "./venue";
export { VenuesScreen as venues } from "./venues";

placeIcons(LATER_ICON_DRAWINGS);
