// How values, days and times read. All times are those of the organisation, not of the tablet.
import type { App, FieldInfo, Lang, Value } from "../app/api.ts";
import { isMissing } from "./form/model.ts";
import { text } from "./texts.ts";

const LOCALE = { nl: "nl-NL", en: "en-GB" } as const;
const formats = new Map<string, Intl.DateTimeFormat>();
function format(
  lang: Lang,
  zone: string,
  name: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${lang} ${zone} ${name}`;
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(LOCALE[lang], { timeZone: zone, ...options })));
  return f;
}

const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const SHORT: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short" };
const LONG: Intl.DateTimeFormatOptions = { weekday: "long", day: "numeric", month: "long" };
const noon = (day: number): Date => new Date(day * 86400000 + 43200000);

export const time = (app: App, at: number): string =>
  format(app.settings.lang, app.device.zone, "time", TIME).format(at * 1000);
/** "za 28 nov" */
export const shortDay = (lang: Lang, day: number): string =>
  format(lang, "UTC", "short", SHORT).format(noon(day));
/** "zaterdag 28 november" */
export const longDay = (lang: Lang, day: number): string =>
  format(lang, "UTC", "long", LONG).format(noon(day));

/** "vandaag", "gisteren" or the day. */
export function relativeDay(app: App, day: number): string {
  const lang = app.settings.lang;
  const ago = app.clock.day(app.clock.now()) - day;
  return ago === 0 ? text(lang, "today") : ago === 1 ? text(lang, "yesterday") : shortDay(lang, day);
}
/** "07:12", "gisteren 22:40", "za 28 nov 22:40" */
export function when(app: App, at: number): string {
  const day = app.clock.day(at);
  const clock = time(app, at);
  return day === app.clock.day(app.clock.now()) ? clock : `${relativeDay(app, day).toLowerCase()} ${clock}`;
}
/** "za 28 op zo 29 nov": a night has two days. */
export function nightOf(lang: Lang, day: number): string {
  const first = format(lang, "UTC", "night", { weekday: "short", day: "numeric" }).format(noon(day));
  return `${first} ${lang === "nl" ? "op" : "to"} ${shortDay(lang, day + 1)}`;
}

/** "2026-11-29", what an input of type date holds; and back. */
export const isoDay = (day: number): string => noon(day).toISOString().slice(0, 10);
export function parseDay(iso: string): number | null {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(ms) ? null : Math.round(ms / 86400000);
}

const MINUS = "−";
export const number = (n: number): string => (n < 0 ? MINUS + -n : String(n));

/** labels: of references, by id. */
export function valueText(
  app: App,
  field: FieldInfo,
  value: Value | undefined,
  labels?: ReadonlyMap<string, string>,
): string {
  const lang = app.settings.lang;
  if (value === undefined || value === null) return "–";
  if (typeof value === "object")
    return (
      (value as readonly (number | string)[]).map((e) => single(app, field, e, labels)).join(", ") || "–"
    );
  if (isMissing(field, value)) return field.missing.find((m) => m.code === value)!.label[lang];
  return single(app, field, value, labels);
}

function single(
  app: App,
  field: FieldInfo,
  value: number | string,
  labels?: ReadonlyMap<string, string>,
): string {
  const lang = app.settings.lang;
  if (typeof value === "string") return field.type === "text" ? value : (labels?.get(value) ?? "…");
  const option = field.options.find((o) => o.code === value);
  switch (field.type) {
    case "code":
    case "codeset":
      return option ? option.label[lang] : number(value);
    case "bool":
      return text(lang, value ? "yes" : "no");
    case "date":
      return shortDay(lang, value);
    case "datetime":
      return `${time(app, value)}`;
    default:
      return field.unit === "min" ? text(lang, "minutes", { n: number(value) }) : number(value);
  }
}
