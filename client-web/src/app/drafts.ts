// Forms that were begun and not saved: sealed, of one person, never sent, dropped after a week.
import { utf8, utf8Decode } from "../proto/bytes.ts";
import type { Name } from "../proto/name.ts";
import type { Core } from "./core.ts";
import type { Db } from "./db.ts";
import { appError } from "./errors.ts";

const KEEP_MS = 7 * 86_400_000;
const BODY_BYTES_MAX = 256 * 1024;
const DRAFTS_MAX = 50; // of one person; the oldest goes

export const draftPlace = (person: Name, key: string): string => `draft ${person} ${key}`;
const ofPerson = (person: Name): IDBKeyRange => IDBKeyRange.bound([person, ""], [person, "\uffff"]);

export async function keepDraft(
  core: Core,
  person: Name,
  key: string,
  body: string | null,
  nowMs: number,
): Promise<void> {
  if (body === null) return core.db.delete("drafts", [person, key]);
  const plain = utf8(body);
  if (plain.length > BODY_BYTES_MAX) throw appError("storage_full");
  const sealed = await core.sealer.seal(draftPlace(person, key), plain);
  await core.db.put("drafts", { person, key, at: nowMs, body: sealed });
  const all = await core.db.getAll("drafts", ofPerson(person));
  const old = all.sort((a, b) => b.at - a.at).slice(DRAFTS_MAX);
  for (const d of old) await core.db.delete("drafts", [d.person, d.key]);
}
export async function readDrafts(core: Core, person: Name): Promise<ReadonlyMap<string, string>> {
  const rows = await core.db.getAll("drafts", ofPerson(person));
  const bodies = await Promise.all(rows.map((d) => core.sealer.open(draftPlace(d.person, d.key), d.body)));
  return new Map(rows.map((d, i) => [d.key, utf8Decode(bodies[i]) ?? ""]));
}
export async function dropOldDrafts(db: Db, nowMs: number): Promise<void> {
  for (const d of await db.getAll("drafts"))
    if (d.at < nowMs - KEEP_MS) await db.delete("drafts", [d.person, d.key]);
}
