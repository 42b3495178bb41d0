// What a session keeps, in IndexedDB. A change of a session is one transaction: data and cursor
// together. View rows (where a record is found) are written in it when the server part alone decides
// them; else the record is noted as dirty in it, and its row is made just after, or when the app opens
// again.
//
// Crypto answers later, and a transaction of IndexedDB ends when it is left waiting for anything else.
// So everything is sealed before, opened after, and the lock "store" keeps the tabs apart from the first
// read to the commit.
import type { Id, Name } from "../proto/name.ts";
import { type Entry, type LogState, appendOp, overlay } from "../proto/log.ts";
import { keyOwner } from "../proto/chain.ts";
import { type Header, KIND, type Payload } from "../proto/op.ts";
import { ZERO_TAG, makeName } from "../proto/name.ts";
import { type Rec, decodeRecord, encodeRecord } from "../proto/record.ts";
import { fail } from "../proto/error.ts";
import {
  type Change,
  type KeyOf,
  type LogChange,
  type ScopeCursor,
  type ServerPart,
  type Store,
  follows,
  scopeKey,
} from "../proto/store.ts";
import {
  type Db,
  type EntryRow,
  type OldLogRow,
  type PartRow,
  type TableName,
  type ViewRow,
  type Write,
  metaOf,
  putMeta,
  readMeta,
} from "./db.ts";
import { type Erasing, erase, erasingOf } from "./erasure.ts";
import {
  entryPlace,
  offTop,
  openEntry,
  rolledBack,
  rowKey,
  sealEntry,
  toSend,
  withReceipt,
} from "./entries.ts";
import { draftPlace } from "./drafts.ts";
import type { Env } from "./env.ts";
import { storageError } from "./errors.ts";
import { askAboutAll, countLook, logOf, newWriter, putLog } from "./logs.ts";
import { Sealer, makeStoreKey } from "./seal.ts";

/** Finds a record's place in the indexes. scope: where the server delivers it; null: nowhere yet. */
export type Indexer = (record: Rec, scope: number | null) => ViewRow;
/** Records that changed; null: too many to name. */
export type Changed = (names: ReadonlySet<Name> | null) => void;

const SYNC_TABLES: TableName[] = ["meta", "keys", "entries", "parts", "staged", "views", "dirty", "drafts"];
const PURGE_TABLES: TableName[] = [...SYNC_TABLES, "secrets", "epochs", "pins"];
const NAMED_MAX = 500;
const DAY_MS = 86_400_000;
const KEEP_DAYS = 30;
const partPlace = (scope: number, name: Name): string => `part ${scope} ${name}`;
const keyPlace = (of: KeyOf): string => `key ${of}`;
const ALL_OF = (scope: number): IDBKeyRange => IDBKeyRange.bound([scope, ""], [scope, "\uffff"]);

interface Sealed {
  parts: Map<Change, PartRow>;
  keys: Map<Change, Uint8Array>;
  erasures: Map<Change, Erasing>;
  /** bodies of entries by place that lie under another key after this change */
  bodies: Map<string, Uint8Array>;
  /** of a purge: nothing sealed before opens under it */
  storeKey?: CryptoKey;
}
export interface StorePorts {
  db: Db;
  env: Env;
  sealer: Sealer;
  index: Indexer;
  /** false while the store is closed: view rows wait until it opens, as the key of natural keys is closed */
  canIndex(): boolean;
  changed: Changed;
  /** after each entry that is safely on the tablet */
  appended(log: LogState, look: boolean): void;
}

export class IdbStore implements Store {
  readonly #p: StorePorts;

  constructor(ports: StorePorts) {
    this.#p = ports;
  }

  // -- reading ------------------------------------------------------------------------------------------

  async log(): Promise<LogState> {
    return (await readMeta(this.#p.db, "log")) ?? fail("corrupt", "no log");
  }
  async oldLogs(): Promise<OldLogRow[]> {
    return (await readMeta(this.#p.db, "oldLogs")) ?? [];
  }
  async entries(writer: Id, from: number, to: number, max: number): Promise<Entry[]> {
    if (from > to) return [];
    const rows = await this.#p.db.getAll("entries", IDBKeyRange.bound([writer, from], [writer, to]), max);
    return this.#open(rows);
  }
  async heads(writer: Id, seqs: number[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(
      seqs.map(async (seq) =>
        seq === 0 ? this.#head0(writer) : (await this.#p.db.get("entries", [writer, seq]))?.head,
      ),
    );
  }
  async #head0(writer: Id): Promise<Uint8Array | undefined> {
    const old = (await this.oldLogs()).find((o) => o.writer === writer);
    return old ? old.head0 : readMeta(this.#p.db, "head0");
  }
  async ackedOnTop(): Promise<Entry[]> {
    const rows = await this.#p.db.getAllFromIndex("entries", "ackTop");
    if (!rows.length) return [];
    const told = new Set<Id>();
    for (const o of [...(await this.oldLogs()), await this.log()]) if (o.askedMs) told.add(o.writer);
    return this.#open(await this.#inOrder(rows.filter((r) => told.has(r.w))));
  }
  /** As they were written: a store goes from one log to the next. */
  async #inOrder(rows: EntryRow[]): Promise<EntryRow[]> {
    const { writer } = await this.log();
    const place = new Map<Id, number>([[writer, Infinity]]);
    if (rows.some((r) => r.w !== writer))
      for (const [i, o] of (await this.oldLogs()).entries()) place.set(o.writer, i);
    const at = (r: EntryRow): number => place.get(r.w) ?? -1; // of a device that this was before
    return rows.sort((a, b) => (a.w === b.w ? a.seq - b.seq : at(a) < at(b) ? -1 : 1));
  }
  async server(): Promise<Id | null> {
    return (await readMeta(this.#p.db, "server")) ?? null;
  }
  async cursors(): Promise<ScopeCursor[]> {
    return (await readMeta(this.#p.db, "cursors")) ?? [];
  }
  async clockOffset(): Promise<number> {
    return (await readMeta(this.#p.db, "offsetMs")) ?? 0;
  }
  async key(of: KeyOf): Promise<Uint8Array | undefined> {
    const sealed = await this.#p.db.get("keys", of);
    return sealed && this.#p.sealer.open(keyPlace(of), sealed);
  }
  async parts(names: Name[]): Promise<(ServerPart | undefined)[]> {
    return Promise.all(names.map((n) => this.#part(n)));
  }
  /** The record as it is shown: the server part with own entries on top. */
  async view(name: Name): Promise<{ record: Rec; scope: number | null } | null> {
    const [part, top, offsetMs] = await Promise.all([this.#part(name), this.#top(name), this.clockOffset()]);
    const record = overlay(part?.record ?? null, top, offsetMs);
    return record && { record, scope: part?.scope ?? null };
  }
  /** Own entries that lie on top of a record. */
  async #top(name: Name): Promise<Entry[]> {
    const rows = await this.#p.db.getAllFromIndex("entries", "top", name);
    return this.#open(rows.length > 1 ? await this.#inOrder(rows) : rows);
  }
  async #part(name: Name): Promise<ServerPart | undefined> {
    const row = await this.#p.db.getFromIndex("parts", "name", name);
    if (!row) return undefined;
    const plain = await this.#p.sealer.open(partPlace(row.scope, row.name), row.body);
    return { scope: row.scope, record: decodeRecord(plain), changed: row.changed };
  }
  #open(rows: EntryRow[]): Promise<Entry[]> {
    return Promise.all(rows.map((r) => openEntry(this.#p.sealer, r)));
  }

  // -- writing ------------------------------------------------------------------------------------------

  /** Chains an entry behind the log; `also` is written in the same transaction. On the tablet for good when it resolves. no_key: the commit key has
   *  not come  yet; AppError storage_full, storage. */
  append(draft: Header & Payload, also?: (tx: Write) => Promise<void>): Promise<Name> {
    return this.#locked(async () => {
      const before = await this.log();
      const key = await this.#commitKey(before.writer, draft);
      const { entry, log } = appendOp(before, draft, key);
      const row = await sealEntry(this.#p.sealer, log.writer, entry);
      const seen = await this.view(row.record);
      const record = overlay(seen?.record ?? null, [entry], await this.clockOffset())!;
      const view = this.#p.canIndex() ? this.#p.index(record, seen?.scope ?? null) : null;
      const tx = this.#begin(["meta", "entries", "views", "dirty"]);
      await this.#commit(tx, async () => {
        await tx.objectStore("entries").add(row);
        await countLook(tx, null, row);
        await putMeta(tx, "log", log);
        if (view) await putView(tx, view);
        else await markDirty(tx, row.record);
        await also?.(tx);
      });
      await this.#cleanDirty();
      this.#p.appended(log, row.look === 1);
      this.#p.changed(new Set([row.record]));
      return entry.op.name;
    });
  }
  async #commitKey(writer: Id, draft: Header & Payload): Promise<Uint8Array> {
    const owner = keyOwner({ form: "whole", name: makeName(writer, 1, ZERO_TAG), ...draft });
    if (owner.of === "zero") return new Uint8Array(32);
    const of =
      owner.of === "participant" ? owner.participant : scopeKey(owner.of === "team" ? owner.scope : 1);
    return (await this.key(of)) ?? fail("no_key", of);
  }

  apply(changes: Change[]): Promise<void> {
    return this.#locked(async () => {
      const sealed = await this.#seal(changes);
      const touched = new Set<Name>();
      const tx = this.#begin(sealed.storeKey ? PURGE_TABLES : SYNC_TABLES);
      await this.#commit(tx, async () => {
        for (const c of changes) await this.#change(tx, c, sealed, touched);
      });
      await this.#cleanDirty();
      if (touched.size) this.#p.changed(touched.size > NAMED_MAX ? null : touched);
    });
  }
  /** Makes the view rows that a cut left undone. */
  repair(): Promise<void> {
    return this.#locked(() => this.#cleanDirty());
  }
  /** Makes the view rows of these kinds again (all when null): their schema has changed, or the way of
   *  indexing. */
  reindex(kinds: number[] | null): Promise<void> {
    return this.#locked(async () => {
      const names =
        kinds === null
          ? await this.#p.db.getAllKeys("views")
          : (await Promise.all(kinds.map((k) => this.#p.db.getAllKeysFromIndex("views", "kind", k)))).flat();
      for (let i = 0; i < names.length; i += NAMED_MAX) await this.#makeRows(names.slice(i, i + NAMED_MAX));
      if (names.length) this.#p.changed(null);
    });
  }

  /** PROTO-121: notes once a day how far the log is safe, and drops the payloads of what was safe 30 days
   *  ago and  still is. Called after a complete sync, by server time. */
  dropSafe(nowMs: number): Promise<void> {
    return this.#locked(async () => {
      const { safe, acked, writer } = await this.log();
      const notes = (await readMeta(this.#p.db, "safeSince")) ?? [];
      const kept = notes.map((n) => ({ ...n, seq: Math.min(n.seq, safe) }));
      const last = kept[kept.length - 1];
      if (!last || nowMs >= last.ms + DAY_MS) kept.push({ seq: safe, ms: nowMs });
      const old = kept.filter((n) => n.ms <= nowMs - KEEP_DAYS * DAY_MS);
      const upTo = Math.min(acked, ...old.slice(-1).map((n) => n.seq));
      const tx = this.#begin(["meta", "entries"]);
      await this.#commit(tx, async () => {
        await putMeta(tx, "safeSince", kept.slice(Math.max(0, old.length - 1)));
        if (old.length && upTo >= 1) await dropBodies(tx, writer, upTo);
      });
    });
  }

  #locked<T>(work: () => Promise<T>): Promise<T> {
    return this.#p.env.lock("store", work);
  }
  #begin(tables: TableName[]): Write {
    return this.#p.db.transaction(tables, "readwrite", { durability: "strict" });
  }
  /** All or nothing: what fails inside ends the transaction. */
  async #commit(tx: Write, work: () => Promise<void>): Promise<void> {
    tx.done.catch(() => undefined); // it is awaited below, unless work fails before
    try {
      await work();
      await tx.done;
    } catch (e) {
      try {
        tx.abort();
      } catch {
        // it has ended by itself
      }
      throw storageError(e);
    }
  }
  async #seal(changes: Change[]): Promise<Sealed> {
    const sealed: Sealed = { parts: new Map(), keys: new Map(), erasures: new Map(), bodies: new Map() };
    const { sealer, index } = this.#p;
    await Promise.all(
      changes.map(async (c) => {
        if (c.to === "acked") await this.#reseal(c.writer, c.receipts.map((r) => r.seq), true, sealed);
        if (c.to === "rollback") await this.#reopen(c.writer, c.upTo, sealed);
        if (c.to === "again") for (const o of await this.#logs()) await this.#reopen(o.writer, 0, sealed);
        if (c.to === "purge") sealed.storeKey = await makeStoreKey();
        if (c.to === "key") sealed.keys.set(c, await sealer.sealOutside(keyPlace(c.of), c.key));
        if (c.to !== "put") return;
        const { scope, record, changed } = c.part;
        const row = index(record, scope);
        const body = await sealPart(sealer, partPlace(scope, record.name), encodeRecord(record), row);
        const erasing = await erasingOf(this.#p.db, sealer, record, scope);
        if (erasing) sealed.erasures.set(c, erasing);
        sealed.parts.set(c, { scope, name: record.name, kind: record.kind, changed, row, body });
      }),
    );
    return sealed;
  }

  async #logs(): Promise<LogState[]> {
    return [...(await this.oldLogs()), await this.log()];
  }
  /** What a server has lost can be sent without the share. */
  async #reopen(writer: Id, upTo: number, sealed: Sealed): Promise<void> {
    const acked = (await this.#logs()).find((o) => o.writer === writer)?.acked ?? 0;
    const seqs = Array.from({ length: Math.max(0, acked - upTo) }, (_, i) => upTo + 1 + i);
    await this.#reseal(writer, seqs, false, sealed);
  }
  /** With strict protection what a server has of a client is closed, and what it has not can always be sent.
   *  A device that has ended is acknowledged without its share, and emptied after that. */
  async #reseal(writer: Id, seqs: number[], sent: boolean, sealed: Sealed): Promise<void> {
    const { db, sealer } = this.#p;
    if (!sealer.strict || sealer.closed) return;
    await Promise.all(
      seqs.map(async (seq) => {
        const row = await db.get("entries", [writer, seq]);
        if (!row?.body || Sealer.isOwn(row.body) !== sent || (sent && !isAboutClient(row))) return;
        const place = entryPlace(writer, seq);
        sealed.bodies.set(place, await moved(sealer, sealer, place, row.body, !sent));
      }),
    );
  }

  /** PROTO-164: everything that was received is sealed anew under a new store key, strict with this share or
   *  (null) standard; the old key goes. */
  protect(share: Uint8Array | null): Promise<void> {
    return this.#locked(async () => {
      const { db, sealer } = this.#p;
      const storeKey = await makeStoreKey();
      const old = await db.getAllKeys("epochs");
      const next = sealer.next(storeKey, share);
      const over = (of: string, body: Uint8Array) => moved(sealer, next, of, body);
      const parts = await Promise.all(
        (["parts", "staged"] as const).map(async (table) =>
          Promise.all(
            (await db.getAll(table)).map(async (r) => {
              const place = partPlace(r.scope, r.name);
              return { ...r, body: await sealPart(next, place, await sealer.open(place, r.body), r.row) };
            }),
          ),
        ),
      );
      const keys = await Promise.all(
        (await db.getAllKeys("keys")).map(async (of) => ({
          of,
          body: await next.sealOutside(keyPlace(of), await sealer.open(keyPlace(of), (await db.get("keys", of))!)),
        })),
      );
      const drafts = await Promise.all(
        (await db.getAll("drafts")).map(async (d) => ({
          ...d,
          body: await over(draftPlace(d.person, d.key), d.body),
        })),
      );
      const entries = (await db.getAll("entries")).filter(
        (r) => r.body && r.receipt && (isAboutClient(r) || !Sealer.isOwn(r.body)),
      );
      const bodies = await Promise.all(
        entries.map((r) => moved(sealer, next, entryPlace(r.w, r.seq), r.body!, share === null)),
      );
      const metas = await Promise.all(
        SEALED_META.map(async ([key, of]) => {
          const body = await readMeta(db, key);
          return body ? ([key, await over(of, body)] as const) : null;
        }),
      );
      const tx = this.#begin(PURGE_TABLES);
      await this.#commit(tx, async () => {
        for (const r of parts[0]) await tx.objectStore("parts").put(r);
        for (const r of parts[1]) await tx.objectStore("staged").put(r);
        for (const k of keys) await tx.objectStore("keys").put(k.body, k.of);
        for (const d of drafts) await tx.objectStore("drafts").put(d);
        for (const [i, r] of entries.entries())
          await tx.objectStore("entries").put({ ...r, body: bodies[i] });
        for (const m of metas) if (m) await putMeta(tx, m[0], m[1]);
        for (const epoch of old) await tx.objectStore("epochs").delete(epoch);
        await putMeta(tx, "strict", share !== null);
        const secrets = (await tx.objectStore("secrets").get("device"))!;
        await tx.objectStore("secrets").put({ ...secrets, store: storeKey }, "device");
      });
      sealer.become(next);
    });
  }

  async #change(tx: Write, c: Change, sealed: Sealed, touched: Set<Name>): Promise<void> {
    switch (c.to) {
      case "put": {
        const row = sealed.parts.get(c)!;
        await tx.objectStore(c.staged ? "staged" : "parts").put(row);
        if (!c.staged) await this.#partCame(tx, row, touched);
        const erasing = sealed.erasures.get(c);
        if (erasing) await erase(tx, erasing, touched, (name) => deleteView(tx, name));
        return;
      }
      case "gone":
        await tx.objectStore(c.staged ? "staged" : "parts").delete([c.scope, c.name]);
        if (!c.staged) await this.#partWent(tx, c.name, touched);
        return;
      case "cursor":
        return putCursor(tx, c.staged ? "staged" : "cursors", c.cursor);
      case "stage":
        await tx.objectStore("staged").delete(ALL_OF(c.scope));
        return dropCursor(tx, "staged", c.scope);
      case "swap":
        return this.#swap(tx, c.scope, touched);
      case "drop":
        await dropCursor(tx, "cursors", c.scope);
        await dropCursor(tx, "staged", c.scope);
        await tx.objectStore("staged").delete(ALL_OF(c.scope));
        return this.#dropParts(tx, await tx.objectStore("parts").getAllKeys(ALL_OF(c.scope)), touched);
      case "window":
        return this.#window(tx, c.kinds, c.before, touched);
      case "purge":
        return this.#purge(tx, sealed.storeKey!, touched);
      case "key":
        await tx.objectStore("keys").put(sealed.keys.get(c)!, c.of);
        return;
      case "server":
        if ((await metaOf(tx, "server")) !== c.server) await askAboutAll(tx);
        return putMeta(tx, "server", c.server);
      case "clock":
        return putMeta(tx, "offsetMs", c.offsetMs);
      default:
        return this.#changeLog(tx, c, touched, sealed.bodies);
    }
  }
  /** The server part decides the row, unless own entries lie on top. */
  async #partCame(tx: Write, row: PartRow, touched: Set<Name>): Promise<void> {
    touched.add(row.name);
    if (await tx.objectStore("entries").index("top").getKey(row.name)) await markDirty(tx, row.name);
    else await putView(tx, row.row);
  }
  async #partWent(tx: Write, name: Name, touched: Set<Name>): Promise<void> {
    touched.add(name);
    const elsewhere = await tx.objectStore("parts").index("name").getKey(name);
    const top = await tx.objectStore("entries").index("top").getKey(name);
    if (elsewhere || top) await markDirty(tx, name);
    else await deleteView(tx, name);
  }
  async #dropParts(tx: Write, keys: [number, Name][], touched: Set<Name>): Promise<void> {
    for (const key of keys) {
      await tx.objectStore("parts").delete(key);
      await this.#partWent(tx, key[1], touched);
    }
  }
  async #swap(tx: Write, scope: number, touched: Set<Name>): Promise<void> {
    const parts = tx.objectStore("parts");
    const old = await parts.getAllKeys(ALL_OF(scope));
    const fresh = await tx.objectStore("staged").getAll(ALL_OF(scope));
    const kept = new Set(fresh.map((r) => r.name));
    await this.#dropParts(
      tx,
      old.filter((k) => !kept.has(k[1])),
      touched,
    );
    for (const row of fresh) {
      await parts.put(row);
      await this.#partCame(tx, row, touched);
    }
    await tx.objectStore("staged").delete(ALL_OF(scope));
    const cursor = ((await metaOf(tx, "staged")) ?? []).find((c) => c.scope === scope);
    if (cursor) await putCursor(tx, "cursors", cursor);
    await dropCursor(tx, "staged", scope);
  }
  async #window(tx: Write, kinds: number[], before: number, touched: Set<Name>): Promise<void> {
    const index = tx.objectStore("parts").index("changed");
    for (const kind of kinds) {
      const range = IDBKeyRange.bound([kind, -Infinity], [kind, before], false, true);
      await this.#dropParts(tx, await index.getAllKeys(range), touched);
    }
  }
  /** PROTO-122: everything received goes, and the key that it was sealed with; what was not sent stays. */
  async #purge(tx: Write, storeKey: CryptoKey, touched: Set<Name>): Promise<void> {
    for (const n of await tx.objectStore("views").getAllKeys()) touched.add(n);
    const emptied = ["parts", "staged", "views", "dirty", "keys", "epochs", "pins", "drafts"] as const;
    for (const table of emptied) await tx.objectStore(table).clear();
    const { writer, acked } = (await metaOf(tx, "log"))!;
    const entries = tx.objectStore("entries");
    for (const row of await entries.getAll())
      if (row.receipt || (row.w === writer && row.seq <= acked))
        await entries.put({ ...offTop(row), body: null });
    for (const key of ["cursors", "staged"] as const) await putMeta(tx, key, []);
    for (const key of ["doubleKey", "looks", "notedLooks", "strict"] as const)
      await tx.objectStore("meta").delete(key);
    await putMeta(tx, "revoked", true);
    const secrets = (await tx.objectStore("secrets").get("device"))!;
    await tx.objectStore("secrets").put({ ...secrets, store: storeKey }, "device");
  }

  // -- the log ------------------------------------------------------------------------------------------

  async #changeLog(
    tx: Write,
    c: LogChange,
    touched: Set<Name>,
    bodies: ReadonlyMap<string, Uint8Array>,
  ): Promise<void> {
    const edit = async (w: Id, seq: number, change: (row: EntryRow) => EntryRow) => {
      const row = await tx.objectStore("entries").get([w, seq]);
      if (!row) return;
      const body = (row.body && bodies.get(entryPlace(w, seq))) ?? row.body;
      const next = change({ ...row, body });
      await tx.objectStore("entries").put(next);
      await countLook(tx, row, next);
      touched.add(row.record);
      await markDirty(tx, row.record);
    };
    const rewind = async (log: LogState, upTo: number, change: (row: EntryRow) => EntryRow) => {
      for (let seq = upTo + 1; seq <= log.acked; seq++) await edit(log.writer, seq, change);
      const acked = Math.min(upTo, log.acked);
      await putLog(tx, log.writer, { acked, safe: Math.min(acked, log.safe) });
    };
    switch (c.to) {
      case "acked": {
        const log = await logOf(tx, c.writer);
        if (!follows(log, c)) return;
        for (const { seq, receipt } of c.receipts)
          await edit(c.writer, seq, (row) => withReceipt(row, receipt));
        return putLog(tx, c.writer, { acked: Math.max(c.upTo, log.acked) });
      }
      case "absorbed":
        for (const name of c.names) await edit(...rowKey(name), offTop);
        return;
      case "safe":
        return putLog(tx, c.writer, { safe: c.upTo });
      case "asked":
        return putLog(tx, c.writer, { askedMs: c.ms });
      case "rollback":
        return rewind(await logOf(tx, c.writer), c.upTo, rolledBack);
      case "again":
        for (const o of [...((await metaOf(tx, "oldLogs")) ?? []), (await metaOf(tx, "log"))!])
          await rewind(o, 0, toSend);
        return;
      case "refused":
        return edit(c.writer, c.seq, (row) => ({ ...row, refused: c.error, att: 1 }));
      case "newWriter":
        return newWriter(tx, (await metaOf(tx, "log")) ?? fail("corrupt", "no log"), c);
    }
  }

  // -- view rows ----------------------------------------------------------------------------------------

  async #cleanDirty(): Promise<void> {
    if (!this.#p.canIndex()) return; // when it opens
    for (;;) {
      const names = await this.#p.db.getAllKeys("dirty", null, NAMED_MAX);
      if (!names.length) return;
      await this.#makeRows(names);
    }
  }
  async #makeRows(names: Name[]): Promise<void> {
    const rows = await Promise.all(
      names.map(async (name) => {
        const v = await this.view(name);
        return v && this.#p.index(v.record, v.scope);
      }),
    );
    const tx = this.#begin(["views", "dirty"]);
    await this.#commit(tx, async () => {
      for (const [i, name] of names.entries()) {
        const row = rows[i];
        if (row) await putView(tx, row);
        else await deleteView(tx, name);
        await tx.objectStore("dirty").delete(name);
      }
    });
  }
}

/** What lies sealed in `meta`, and its place. */
const SEALED_META = [
  ["doubleKey", "double key"],
  ["looks", "looks"],
] as const;
/** The record of a client is not closed: it says for whom entries can be made. */
const isAboutClient = (row: EntryRow): boolean => row.client !== "" && row.client !== row.record;
const moved = async (from: Sealer, to: Sealer, of: string, body: Uint8Array, asOwn = false) =>
  asOwn ? to.sealOwn(of, await from.open(of, body)) : to.seal(of, await from.open(of, body));
/** What is said of a client needs the share; forms, people and the clients' own records stay outside. */
const sealPart = (to: Sealer, of: string, plain: Uint8Array, { client, kind }: ViewRow): Promise<Uint8Array> =>
  client !== "" && kind !== KIND.PARTICIPANT ? to.seal(of, plain) : to.sealOutside(of, plain);

const markDirty = (tx: Write, name: Name): Promise<unknown> => tx.objectStore("dirty").put(1, name);

/** Writes a row; it and the others with its natural key are marked as possible doubles of each other. */
async function putView(tx: Write, row: ViewRow): Promise<void> {
  const views = tx.objectStore("views");
  const old = await views.get(row.name);
  if (old && (old.dk !== row.dk || old.ret !== row.ret)) await leaveDoubles(tx, old);
  if (row.dk !== undefined && !row.ret) {
    const others = (await views.index("dk").getAll(row.dk)).filter((o) => o.name !== row.name && !o.ret);
    if (others.length) row = { ...row, att: row.scope };
    for (const o of others) if (o.att === undefined) await views.put({ ...o, att: o.scope });
  }
  await views.put(row);
}
async function deleteView(tx: Write, name: Name): Promise<void> {
  const old = await tx.objectStore("views").get(name);
  if (!old) return;
  await leaveDoubles(tx, old);
  await tx.objectStore("views").delete(name);
}
/** Those that were doubles of this record may be none any more. */
async function leaveDoubles(tx: Write, old: ViewRow): Promise<void> {
  if (old.dk === undefined) return;
  for (const o of await tx.objectStore("views").index("dk").getAll(old.dk))
    if (o.name !== old.name && o.att !== undefined) await markDirty(tx, o.name);
}

/** Backwards from there, as far as bodies are left. What lies on top is needed yet. */
async function dropBodies(tx: Write, writer: Id, upTo: number): Promise<void> {
  let cursor = await tx
    .objectStore("entries")
    .openCursor(IDBKeyRange.bound([writer, 1], [writer, upTo]), "prev");
  for (; cursor?.value.body; cursor = await cursor.continue())
    if (cursor.value.top === undefined) await cursor.update({ ...cursor.value, body: null });
}

async function putCursor(tx: Write, key: "cursors" | "staged", cursor: ScopeCursor): Promise<void> {
  const list = (await metaOf(tx, key)) ?? [];
  await putMeta(tx, key, [...list.filter((c) => c.scope !== cursor.scope), cursor]);
}
async function dropCursor(tx: Write, key: "cursors" | "staged", scope: number): Promise<void> {
  const list = (await metaOf(tx, key)) ?? [];
  if (list.some((c) => c.scope === scope))
    await putMeta(
      tx,
      key,
      list.filter((c) => c.scope !== scope),
    );
}
