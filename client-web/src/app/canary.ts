// The canary: outside the database it is noted that this browser is enrolled, and how far its log had
// come. A browser that throws the database away, or a copy of an older one put in its place, is noticed
// by it.
import type { LogState } from "../proto/log.ts";
import type { Id } from "../proto/name.ts";
import type { Mark } from "./env.ts";

interface Song {
  writer: Id;
  seq: number;
}

function parse(text: string | null): Song | null {
  const m = /^([0-9a-f]{32})\.([0-9]{1,16})$/.exec(text ?? "");
  return m && { writer: m[1], seq: Number(m[2]) };
}
/** The farthest of what the places say; null when none says anything. */
function hear(marks: Mark[], writer?: Id): Song | null {
  const all = marks.map((m) => parse(m.read())).filter((s): s is Song => s !== null);
  const fit = writer === undefined ? all : all.filter((s) => s.writer === writer);
  return fit.reduce<Song | null>((a, b) => (a && a.seq >= b.seq ? a : b), null);
}

export const sing = (marks: Mark[], log: LogState): void => {
  for (const m of marks) m.write(`${log.writer}.${log.seq}`);
};
/** This browser was enrolled once, whatever its database says. */
export const wasEnrolled = (marks: Mark[]): boolean => hear(marks) !== null;
/** The database is older than what was last written with it: a restored copy. */
export const isOlder = (marks: Mark[], log: LogState): boolean =>
  (hear(marks, log.writer)?.seq ?? 0) > log.seq;
