// Local time of the organisation, from its IANA zone and the browser's own tables. All seconds are whole.
import type { Clock } from "./api.ts";

const DAY_S = 86400;
const NOON_MIN = 720;

/** Seconds to add to UTC for local time. */
function offsets(zone: string): (atS: number) => number {
  const format = new Intl.DateTimeFormat("en-u-hc-h23-ca-gregory-nu-latn", {
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    era: "short",
  });
  const cache = new Map<number, number>(); // offsets change on the quarter of an hour
  return (atS) => {
    const quarter = Math.floor(atS / 900);
    const known = cache.get(quarter);
    if (known !== undefined) return known;
    const p: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(quarter * 900_000)) p[type] = Number(value);
    const local = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) / 1000;
    if (cache.size > 4096) cache.clear();
    cache.set(quarter, local - quarter * 900);
    return local - quarter * 900;
  };
}

export const isZone = (zone: string): boolean => {
  try {
    return !!new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    return false;
  }
};

/** now: corrected seconds. An unknown zone reads as UTC. */
export function makeClock(zone: string, now: () => number): Clock {
  const offset = isZone(zone) ? offsets(zone) : () => 0;
  const local = (atS: number) => atS + offset(atS);
  const day = (atS: number) => Math.floor(local(atS) / DAY_S);
  const minutes = (atS: number) => Math.floor((((local(atS) % DAY_S) + DAY_S) % DAY_S) / 60);
  return {
    now,
    day,
    minutes,
    night: (atS) => day(atS) - (minutes(atS) < NOON_MIN ? 1 : 0),
    at(d, m) {
      const wall = d * DAY_S + m * 60;
      // the offsets around; of two that fit the earlier moment, of none what the clock showed before the
      // gap
      const tries = [wall - offset(wall - DAY_S), wall - offset(wall + DAY_S)].sort((a, b) => a - b);
      const fits = tries.filter((s) => local(s) === wall);
      return fits[0] ?? tries[1];
    },
  };
}
