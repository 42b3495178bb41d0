// The logs of the store: the live one, and those that it left behind (PROTO-58, PROTO-66).
import { chainStart } from "../proto/chain.ts";
import { fail } from "../proto/error.ts";
import { type LogState, isUnsent } from "../proto/log.ts";
import type { Id } from "../proto/name.ts";
import { type Db, type EntryRow, type OldLogRow, type Write, metaOf, putMeta, readMeta } from "./db.ts";

export async function logOf(tx: Write, writer: Id): Promise<LogState> {
  const live = await metaOf(tx, "log");
  if (live?.writer === writer) return live;
  const old = ((await metaOf(tx, "oldLogs")) ?? []).find((o) => o.writer === writer);
  return old ?? fail("corrupt", "no such log");
}
export async function putLog(tx: Write, writer: Id, to: Partial<OldLogRow>): Promise<void> {
  const live = await metaOf(tx, "log");
  if (live?.writer === writer) return putMeta(tx, "log", { ...live, ...to });
  const old = (await metaOf(tx, "oldLogs")) ?? [];
  return putMeta(
    tx,
    "oldLogs",
    old.map((o) => (o.writer === writer ? { ...o, ...to } : o)),
  );
}
export async function askAboutAll(tx: Write): Promise<void> {
  const old = (await metaOf(tx, "oldLogs")) ?? [];
  if (old.length)
    await putMeta(
      tx,
      "oldLogs",
      old.map((o) => ({ ...o, askedMs: 0 })),
    );
  const live = await metaOf(tx, "log");
  if (live) await putMeta(tx, "log", { ...live, askedMs: 0 });
}

/** An entry is unsent, or no more: those that say who looked at whom are counted. */
export async function countLook(tx: Write, before: EntryRow | null, after: EntryRow): Promise<void> {
  const unsent = (row: EntryRow | null) => Number(row?.look === 1 && row.receipt === null);
  const more = unsent(after) - unsent(before);
  if (more) await putMeta(tx, "unsentLooks", Math.max(0, ((await metaOf(tx, "unsentLooks")) ?? 0) + more));
}

/** Logs that an older version of the app left behind and took no note of: acknowledged to their end. */
export async function findOldLogs(db: Db, of: { organisation: Id; device: Id }): Promise<void> {
  const live = (await readMeta(db, "log"))?.writer;
  const found: { from: number; log: OldLogRow }[] = [];
  for (let after: Id | undefined = ""; after !== undefined; ) {
    const first: EntryRow | undefined = (
      await db.getAll("entries", IDBKeyRange.lowerBound([after, Infinity], true), 1)
    )[0];
    after = first?.w;
    if (!first?.receipt || first.w === live || first.seq !== 1) continue;
    const { w: writer } = first;
    const last = await db.transaction("entries").store.openCursor(
      IDBKeyRange.bound([writer, 1], [writer, Infinity]),
      "prev",
    );
    const { seq, head, receipt } = last!.value;
    const head0 = chainStart(of.organisation, writer);
    const log = { writer, device: of.device, seq, head, acked: seq, safe: 0, askedMs: 0, head0 };
    if (receipt) found.push({ from: first.receipt.serverMs, log });
  }
  found.sort((a, b) => a.from - b.from);
  await db.put("meta", found.map((f) => f.log), "oldLogs");
}

/** A new log; the one before is kept with the old ones. With entries that it has still to send that is put
 *  off to a later session, unless it belongs to another device: then no server takes them from here, nor what
 *  was left behind before, and they wait for an export. */
export async function newWriter(
  tx: Write,
  log: LogState,
  to: { writer: Id; device: Id; head: Uint8Array; askedMs: number },
): Promise<void> {
  const { writer, device, head, askedMs } = to;
  const head0 = (await metaOf(tx, "head0")) ?? head;
  const before = [...((await metaOf(tx, "oldLogs")) ?? []), { ...log, askedMs, head0 }];
  if (isUnsent(log) && log.device === device) return;
  const others = before.filter((o) => o.device !== device);
  const stranded = others.reduce((n, o) => n + o.seq - o.acked, 0);
  if (stranded) await putMeta(tx, "stranded", ((await metaOf(tx, "stranded")) ?? 0) + stranded);
  await putMeta(tx, "oldLogs", before.filter((o) => o.device === device && o.seq > 0));
  await putMeta(tx, "head0", head);
  await putMeta(tx, "log", { writer, device, seq: 0, head, acked: 0, safe: 0, askedMs: 0 });
}
