// Forms that were begun and not saved: sealed, of one person, never sent, dropped after a week. One that was
// begun while nothing is shown (entryOnly) holds nothing recorded earlier: it alone is given back then, and lies
// outside the share until the store opens, as an entry does that was not sent.
import { utf8, utf8Decode } from "../proto/bytes.ts";
import type { Name } from "../proto/name.ts";
import type { Core } from "./core.ts";
import type { Db, DraftRow } from "./db.ts";
import { appError } from "./errors.ts";
import { Sealer } from "./seal.ts";

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
  of: { nowMs: number; entryOnly: boolean },
): Promise<void> {
  if (body === null) return core.db.delete("drafts", [person, key]);
  const plain = utf8(body);
  if (plain.length > BODY_BYTES_MAX) throw appError("storage_full");
  const { sealer } = core;
  const place = draftPlace(person, key);
  const sealed = await (of.entryOnly ? sealer.sealOutside(place, plain) : sealer.seal(place, plain));
  await core.db.put("drafts", { person, key, at: of.nowMs, ...(of.entryOnly && { blind: 1 }), body: sealed });
  const all = await core.db.getAll("drafts", ofPerson(person));
  const old = all.sort((a, b) => b.at - a.at).slice(DRAFTS_MAX);
  for (const d of old) await core.db.delete("drafts", [d.person, d.key]);
}
export async function readDrafts(
  core: Core,
  person: Name,
  entryOnly: boolean,
): Promise<ReadonlyMap<string, string>> {
  const all = await core.db.getAll("drafts", ofPerson(person));
  const opens = (d: DraftRow) => !core.sealer.closed || Sealer.isOutside(d.body);
  const rows = entryOnly ? all.filter((d) => d.blind && opens(d)) : all;
  const bodies = await Promise.all(rows.map((d) => core.sealer.open(draftPlace(d.person, d.key), d.body)));
  return new Map(rows.map((d, i) => [d.key, utf8Decode(bodies[i]) ?? ""]));
}
/** The store has opened: what was begun before it had is closed like the rest. */
export async function closeDrafts({ db, sealer }: Pick<Core, "db" | "sealer">): Promise<void> {
  for (const d of await db.getAll("drafts")) {
    if (!Sealer.isOutside(d.body)) continue;
    const place = draftPlace(d.person, d.key);
    const body = await sealer.seal(place, await sealer.open(place, d.body));
    const tx = db.transaction("drafts", "readwrite");
    const now = await tx.store.get([d.person, d.key]); // another tab may have dropped it meanwhile
    if (now?.at === d.at) await tx.store.put({ ...d, body });
    await tx.done;
  }
}
export async function dropOldDrafts(db: Db, nowMs: number): Promise<void> {
  for (const d of await db.getAll("drafts"))
    if (d.at < nowMs - KEEP_MS) await db.delete("drafts", [d.person, d.key]);
}
