// The shapes of the API that this app uses, as the server writes them.
import type { OwnCredits } from "./credits";
export type { Problem } from "../../../../ui/js/wire/api";

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  /** Addresses of the business's accent and logo; empty where it has none. */
  accent_css?: string;
  logo?: string;
}

/** A business that this person is a guest of, or works for. */
export interface Place {
  tenant: string;
  name: string;
  as: "crew" | "member" | "patron";
  status: string;
  current: boolean;
}

/** Somebody of the crew sees with this guest's eyes. */
export interface Looking {
  by: string;
  subject: string;
  reason: string;
  ends_at: string;
}

export interface Me {
  user_id: string;
  session_id: string;
  kind: "guest" | "patron" | "member" | "crew";
  name: string;
  email: string;
  email_verified: boolean;
  tenant: Tenant | null;
  patron_id: string | null;
  preferences: Preferences;
  places: Place[];
  looking: Looking | null;
}

export interface Preferences {
  language: string;
  time_zone: string;
  theme: "dark" | "light" | "system";
  notifications: Record<string, boolean>;
}

export interface SignedInSession {
  id: string;
  kind: Me["kind"];
  tenant: string | null;
  channel: "bearer" | "cookie";
  label: string;
  ip: string;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
  current: boolean;
}

export interface Visit {
  id: string;
  venue_id: string;
  venue: string;
  status: "open" | "closed" | "timed_out" | "voided";
  opened_at: string;
  times_out_at: string;
  closed_at: string | null;
  duration_seconds: number | null;
}

export interface Charged {
  status: "paid" | "unpaid" | "waived";
  amount: number;
  currency: string;
}

export interface HomeVenue {
  id: string;
  slug: string;
  name: string;
  address: string;
  status: "active" | "paused" | "archived";
  is_open: boolean;
  opens_at: string | null;
  closes_at: string | null;
  position: { lat: number; lon: number } | null;
  time_zone: string;
  age_limit: number | null;
  position_policy: "off" | "when_given" | "required";
  visit_timeout_minutes: number;
  /** What coming in costs, in credits. */
  entrance: { amount: number; currency: string } | null;
  featured: boolean;
  degraded_reason: string;
}

export interface Activity {
  kind: "checked_in" | "checked_out" | "timed_out";
  at: string;
  venue_id: string;
  venue: string;
  visit_id: string;
  duration_seconds: number | null;
}

export interface ActivityPage {
  items: Activity[];
  next: string | null;
}

export interface Home {
  now: string;
  patron: { id: string; name: string; birth_date: string | null };
  tenant: Tenant;
  visit: Visit | null;
  activity: Activity[];
  venues: HomeVenue[];
  /** What the check-in cost that this phone has just sent: not of the server. */
  charged?: Charged | null;
}

/** What the app shows first, in one answer; a part that is left out says why when it is asked for alone. */
export interface Start {
  me: Me | null;
  home: Home | null;
  help: HelpState | null;
  checks: SafetyCheck[] | null;
  bookings: { items: OwnBooking[] } | null;
  credits: OwnCredits | null;
}

export interface HelpCall {
  id: string;
  venue: string;
  about: "unwell" | "bothered" | "lost" | "other" | null;
  place: string;
  note: string;
  quiet: boolean;
  status: "sent" | "heard" | "coming" | "over" | "withdrawn";
  helpers: string[];
  escalation: number;
  received_at: string;
  ended_at: string | null;
}

export interface HelpState {
  offered: boolean;
  call: HelpCall | null;
}

/** Staff ask whether all is well. */
export interface SafetyCheck {
  id: string;
  venue: string;
  venue_id: string;
  question: string;
  asked_at: string;
  expires_at: string;
  answer: "fine" | "help" | null;
  missed_at: string | null;
}

export interface Position {
  lat: number;
  lon: number;
  accuracy_m: number;
}

export interface CheckedIn {
  checkin: { id: string };
  visit: Visit;
  /** What it cost; null where the entrance is free or was paid before. */
  charge: Charged | null;
}

/** Where a genuine code belongs. */
export interface CodePlace {
  venue: { id: string; name: string };
  tenant: Tenant;
}

export interface ShownImage {
  id: string;
  alt: string;
  large: string;
  small: string;
  width: number | null;
  height: number | null;
}

export interface OwnPhoto {
  id: string;
  alt: string;
  small: string;
  state: "awaited" | "uploaded" | "ready" | "failed";
  state_reason: string;
  moderation: "waiting" | "approved" | "rejected";
  moderation_reason: string;
}

/** Everything that a guest sees of a venue. */
export interface VenueShow {
  id: string;
  name: string;
  address: string;
  status: HomeVenue["status"];
  is_open: boolean;
  opens_at: string;
  closes_at: string;
  time_zone: string;
  business_day: string;
  age_limit: number | null;
  always_open: boolean;
  hours: { day: string; spans: string[] }[];
  degraded_reason: string;
  featured: boolean;
  banners: { id: string; title: string; body: string; link: string; image: ShownImage | null }[];
  images: ShownImage[];
  photos: OwnPhoto[];
}

/** A game, room or table as guests see it. */
export interface Offer {
  id: string;
  kind: "game" | "room" | "table";
  name: string;
  zone: string;
  capacity: number | null;
  price: { amount: number; unit: "play" | "hour" } | null;
  currency: string;
  status: "available" | "maintenance" | "out_of_order" | "retired";
  bookable: boolean;
  shortest_minutes: number;
  longest_minutes: number;
}

export interface Offers {
  items: Offer[];
  furthest_ahead_days: number;
  most_of_guest: number;
}

export interface Times {
  starts: string[];
  time_zone: string;
  price: { amount: number; currency: string } | null;
}

export interface OwnBooking {
  id: string;
  venue_id: string;
  venue: string;
  resource: string;
  party_size: number;
  starts_at: string;
  ends_at: string;
  status: "booked" | "arrived" | "done" | "cancelled" | "no_show";
  status_reason: string;
  price_minor: number | null;
  currency: string | null;
}
