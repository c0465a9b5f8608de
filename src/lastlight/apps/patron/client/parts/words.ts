// Times, spans and names as this person reads them.
import { gettext as _ } from "../../../../ui/js/i18n";
import { language, timeZone } from "../state/device";
import { home } from "../state/night";
import type { View } from "../state/route";

const DAY_MS = 86_400_000;

function format(options: Intl.DateTimeFormatOptions, zone?: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language.value, { ...options, timeZone: zone ?? timeZone.value });
}

/** The clock for a person's own comings and goings: the one that they chose, else the venue's. */
export function zoneOf(venueId?: string | null): string | undefined {
  const venues = home.value?.venues ?? [];
  return timeZone.value ?? (venues.find((venue) => venue.id === venueId) ?? venues[0])?.time_zone;
}

export function clock(at: string | number, zone?: string): string {
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone).format(new Date(at));
}

/** "Today 21:40", "Fri 23:12" within a week, "14 Nov 23:12" before; `amid` a sentence, "today 21:40". */
export function when(at: string | number, now: number, zone?: string, amid = false): string {
  const time = clock(at, zone);
  const moment = new Date(at);
  if (sameDay(moment.getTime(), now, zone)) return amid ? _("today %(time)s", { time }) : _("Today %(time)s", { time });
  if (sameDay(moment.getTime(), now - DAY_MS, zone)) return amid ? _("yesterday %(time)s", { time }) : _("Yesterday %(time)s", { time });
  if (Math.abs(now - moment.getTime()) < 6 * DAY_MS) return `${format({ weekday: "short" }, zone).format(moment)} ${time}`;
  return `${format({ day: "numeric", month: "short" }, zone).format(moment)} ${time}`;
}

/** A heading for the day of a line in the activity. */
export function dayOf(at: string, now: number, zone?: string): string {
  const moment = Date.parse(at);
  if (sameDay(moment, now, zone)) return _("Today");
  if (sameDay(moment, now - DAY_MS, zone)) return _("Yesterday");
  const year = new Date(moment).getFullYear() === new Date(now).getFullYear() ? undefined : ("numeric" as const);
  return format({ weekday: "long", day: "numeric", month: "long", year }, zone).format(moment);
}

export function span(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const hours = Math.floor(minutes / 60);
  if (!hours) return _("%(minutes)s min", { minutes });
  return minutes % 60 ? _("%(hours)s h %(minutes)s min", { hours, minutes: minutes % 60 }) : _("%(hours)s h", { hours });
}

/** An amount in the minor unit of its currency. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat(language.value, { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** "Sat, 21 Nov" of a date such as 2026-11-21. */
export function dayName(date: string, style: "short" | "long" = "short"): string {
  return format({ weekday: style, day: "numeric", month: style }, "UTC").format(new Date(`${date}T12:00:00Z`));
}

/** Hours and minutes as a stopwatch shows them. */
export function stopwatch(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

export function greeting(name: string, now: number): string {
  const hour = Number(format({ hour: "2-digit", hourCycle: "h23" }, zoneOf()).format(now));
  const first = name.split(/\s+/)[0] ?? "";
  if (hour >= 5 && hour < 12) return _("Morning, %(name)s", { name: first });
  if (hour >= 12 && hour < 17) return _("Afternoon, %(name)s", { name: first });
  return _("Evening, %(name)s", { name: first });
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [first = "?", last = ""] = [words[0], words.length > 1 ? words.at(-1) : ""];
  return (last ? [...first][0]! + [...last][0]! : [...first].slice(0, 2).join("")).toUpperCase();
}

function sameDay(a: number, b: number, zone?: string): boolean {
  const day = format({ year: "numeric", month: "2-digit", day: "2-digit" }, zone);
  return day.format(a) === day.format(b);
}

/** What a view is called. */
export function titleOf(view: View): string {
  const titles: Record<View, string> = {
    home: "",
    scan: _("Scan"),
    activity: _("Activity"),
    venues: _("Venues"),
    venue: _("Venue"),
    bookings: _("Bookings"),
    credits: _("Credits"),
    receipt: _("Receipt"),
    pay: _("Pay by card"),
    profile: _("Profile"),
    code: _("At the door"),
    pass: _("My code"),
    "sign-in": _("Sign in"),
    register: _("Create an account"),
    forgot: _("A new password"),
  };
  return titles[view];
}
