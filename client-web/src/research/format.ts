// Dates as people read them, in Dutch time as everywhere in the programme.
import type { Lang } from "../app/api.ts";

const locale = (lang: Lang): string => (lang === "nl" ? "nl-NL" : "en-GB");

export const dayName = (lang: Lang, at: Date): string =>
  new Intl.DateTimeFormat(locale(lang), { timeZone: "Europe/Amsterdam", dateStyle: "medium" }).format(at);
export const timeName = (lang: Lang, at: Date): string =>
  new Intl.DateTimeFormat(locale(lang), {
    timeZone: "Europe/Amsterdam",
    dateStyle: "medium",
    timeStyle: "short",
  }).format(at);
/** "2026-02" → "februari 2026" */
export const monthName = (lang: Lang, month: string): string =>
  new Intl.DateTimeFormat(locale(lang), { timeZone: "UTC", month: "long", year: "numeric" }).format(
    new Date(`${month}-15T12:00:00Z`),
  );
