// PINs: they tell colleagues on one tablet apart and stop no thief. The verifier is made here and never
// leaves; wrong tries make the next one wait, longer each time, also after a restart and with the clock
// set otherwise.
import { equalBytes, utf8 } from "../proto/bytes.ts";
import type { Name } from "../proto/name.ts";
import type { Db, PinRow } from "./db.ts";
import { randomBytes } from "./env.ts";

const ROUNDS = 600_000; // PBKDF2 with SHA-256, as OWASP had it in 2023: about half a second on a tablet
const FREE_TRIES = 3;
const DELAY_MIN_MS = 5_000;
const DELAY_MAX_MS = 15 * 60_000;

export const pinProblem = (pin: string): boolean => !/^[0-9]{4,12}$/.test(pin) || /^(.)\1*$/.test(pin);

async function derive(pin: string, salt: Uint8Array, rounds: number): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", utf8(pin) as BufferSource, "PBKDF2", false, [
    "deriveBits",
  ]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: salt as BufferSource, iterations: rounds };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 256));
}
/** How long after so many wrong tries in a row. */
export const delayMs = (fails: number): number =>
  fails < FREE_TRIES ? 0 : Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** Math.min(fails - FREE_TRIES, 20));

/** Milliseconds until a try is looked at. A clock that was set back starts the delay anew. */
export function waitMs(row: PinRow, nowMs: number): number {
  if (!row.fails) return 0;
  if (nowMs < row.sinceMs) return delayMs(row.fails);
  return Math.max(0, row.untilMs - nowMs);
}

export async function setPin(db: Db, person: Name, pin: string, rounds = ROUNDS): Promise<void> {
  const salt = randomBytes(16);
  const verifier = await derive(pin, salt, rounds);
  await db.put("pins", { person, salt, verifier, rounds, fails: 0, untilMs: 0, sinceMs: 0 });
}

export type Tried = { ok: boolean; waitMs: number } | null;
/** null: there is no PIN. The try counts as wrong on disk before it is looked at, so that ending the app
 *  in between  wins nothing. */
export async function tryPin(db: Db, person: Name, pin: string, nowMs: () => number): Promise<Tried> {
  const row = await db.get("pins", person);
  if (!row) return null;
  const wait = waitMs(row, nowMs());
  if (wait > 0) {
    if (nowMs() < row.sinceMs) await db.put("pins", { ...row, sinceMs: nowMs(), untilMs: nowMs() + wait });
    return { ok: false, waitMs: wait };
  }
  const fails = row.fails + 1;
  const delay = delayMs(fails);
  await db.put("pins", { ...row, fails, sinceMs: nowMs(), untilMs: nowMs() + delay });
  const fits = /^[0-9]{1,12}$/.test(pin) && equalBytes(await derive(pin, row.salt, row.rounds), row.verifier);
  if (fits) await db.put("pins", { ...row, fails: 0, untilMs: 0, sinceMs: 0 });
  return { ok: fits, waitMs: fits ? 0 : delay };
}
