// Erasure of a participant (PROTO-125, PROTO-126): with the tombstone, in the same transaction, goes
// everything about them that lies here: the payloads of own entries, sent or not, the server part, where
// it was found, the commit key, drafts. What stays is header hash and commitment of the own entries, so
// that the log still chains. A receipt is then written as an entry.
import { hex } from "../proto/bytes.ts";
import { type Name, NAME_BYTES, nameBytes } from "../proto/name.ts";
import { utf8Decode } from "../proto/bytes.ts";
import { type Header, KIND, type Payload } from "../proto/op.ts";
import { type Rec, shown } from "../proto/record.ts";
import { isBytes } from "../proto/value.ts";
import { type Db, type Write, metaOf, putMeta, readMeta } from "./db.ts";
import { draftPlace } from "./drafts.ts";
import { offTop } from "./entries.ts";
import type { Sealer } from "./seal.ts";

export const KIND_ERASURE = 16;
const FIELD_ERASED = 2;

export interface Erasing {
  tombstone: Name;
  participant: Name;
  /** keys of drafts that mention them */
  drafts: [Name, string][];
  /** the tombstone is news to a store that had the scope before: it is confirmed whatever was left to
   *  erase */
  news: boolean;
}
export interface PurgeDue {
  tombstone: Name;
  entries: number;
  records: number;
}

/** What a tombstone asks for; null when the record is none. To be asked before the transaction: drafts
 *  are sealed. */
export async function erasingOf(db: Db, sealer: Sealer, r: Rec, scope: number): Promise<Erasing | null> {
  const of = r.kind === KIND_ERASURE ? shown(r, FIELD_ERASED) : undefined;
  if (!isBytes(of) || of.length !== NAME_BYTES) return null;
  const participant = hex(of);
  const drafts: [Name, string][] = [];
  for (const d of await db.getAll("drafts")) {
    const body = utf8Decode(await sealer.open(draftPlace(d.person, d.key), d.body)) ?? "";
    if (d.key.includes(participant) || body.includes(participant)) drafts.push([d.person, d.key]);
  }
  const known = await db.get("parts", [scope, r.name]);
  const had = ((await readMeta(db, "cursors")) ?? []).some((c) => c.scope === scope);
  return { tombstone: r.name, participant, drafts, news: !known && had };
}

/** gone: takes a record out of the indexes. */
export async function erase(
  tx: Write,
  e: Erasing,
  touched: Set<Name>,
  gone: (name: Name) => Promise<void>,
): Promise<void> {
  let entries = 0;
  for (const row of await tx.objectStore("entries").index("client").getAll(e.participant)) {
    if (row.body) entries++;
    await tx.objectStore("entries").put({ ...offTop(row), body: null });
    touched.add(row.record);
  }
  const range = IDBKeyRange.bound([e.participant, 0, -Infinity], [e.participant, Infinity, Infinity]);
  const names = await tx.objectStore("views").index("client").getAllKeys(range);
  let records = 0;
  for (const name of new Set([...names, e.participant])) {
    const keys = await tx.objectStore("parts").index("name").getAllKeys(name);
    for (const key of keys) await tx.objectStore("parts").delete(key);
    if (keys.length) records++;
    await gone(name);
    touched.add(name);
  }
  for (const row of await tx.objectStore("staged").getAll())
    if (row.row.client === e.participant || row.name === e.participant)
      await tx.objectStore("staged").delete([row.scope, row.name]);
  for (const key of e.drafts) await tx.objectStore("drafts").delete(key);
  await tx.objectStore("keys").delete(e.participant);
  if (!entries && !records && !e.news) return;
  const due = (await metaOf(tx, "purgesDue")) ?? [];
  await putMeta(tx, "purgesDue", [...due, { tombstone: e.tombstone, entries, records }]);
}

/** The receipt that a purge leaves in the log. */
export const purgeOp = (due: PurgeDue, version: number, deviceS: number): Header & Payload => ({
  scope: 1,
  record: null,
  kind: KIND.PURGE,
  version,
  participant: null,
  author: null,
  time: deviceS,
  fields: [
    { id: 2, value: nameBytes(due.tombstone) },
    { id: 3, value: due.entries },
    { id: 4, value: due.records },
  ],
  replaces: [],
});
/** In the transaction that the receipt is written in. */
export async function purgeDone(tx: Write, tombstone: Name): Promise<void> {
  const due = (await metaOf(tx, "purgesDue")) ?? [];
  const rest = due.filter((d) => d.tombstone !== tombstone);
  await putMeta(tx, "purgesDue", rest);
}
