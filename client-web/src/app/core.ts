// What an enrolled tablet stands on: the database with its keys opened, the store, the directory, the
// clock.
import type { Clock } from "./api.ts";
import { hex } from "../proto/bytes.ts";
import { chainStart } from "../proto/chain.ts";
import { type LogState } from "../proto/log.ts";
import type { Enrolled } from "../proto/messages.ts";
import { ID_BYTES } from "../proto/name.ts";
import type { Ports } from "../proto/session.ts";
import { scopeKey } from "../proto/store.ts";
import { makeClock } from "./clock.ts";
import {
  type Db,
  INDEX_VERSION,
  type IdentityRow,
  type Write,
  metaOf,
  putMeta,
  readMeta,
  writeMeta,
} from "./db.ts";
import { Directory } from "./directory.ts";
import { closeDrafts } from "./drafts.ts";
import { offTop } from "./entries.ts";
import { purgeDone, purgeOp } from "./erasure.ts";
import { type Env, randomBytes } from "./env.ts";
import { appError, storageError } from "./errors.ts";
import { fail } from "../proto/error.ts";
import { type Changed, IdbStore } from "./idb-store.ts";
import { findOldLogs, newWriter } from "./logs.ts";
import { Looks } from "./looks.ts";
import { Sealer, type Secrets, makeSecrets, signWith, verifierOf } from "./seal.ts";
import { viewRow } from "./views.ts";

export interface Core {
  db: Db;
  identity: IdentityRow;
  secrets: Secrets;
  sealer: Sealer;
  store: IdbStore;
  directory: Directory;
  clock: Clock;
  /** server's time less own, ms */
  offsetMs: number;
  ports: Ports;
  looks: Looks;
  /** What WELCOME says of the store's protection. */
  protect(strict: boolean, share: Uint8Array | null): Promise<void>;
  /** Another tab of this page has it. */
  unlock(share: Uint8Array | null): Promise<void>;
  /** Goes on under a new log, unless the old one has entries to send yet. */
  startNewLog(): Promise<void>;
  /** Writes the receipts of erasures that are due. */
  confirmErasures(deviceS: number): Promise<void>;
  /** Notes how far the log is safe, and drops what was safe 30 days ago (PROTO-121). */
  keepSafe(nowMs: number): Promise<void>;
}
export interface CoreHooks {
  changed: Changed;
  /** the store was opened, or is protected otherwise from now on; other tabs need the share too */
  opened(share: Uint8Array | null): Promise<void>;
  appended(log: LogState, look: boolean): void;
}

/** null: not enrolled. */
export async function openCore(env: Env, db: Db, hooks: CoreHooks): Promise<Core | null> {
  const [identity, secrets] = await Promise.all([readMeta(db, "identity"), db.get("secrets", "device")]);
  if (!identity || !secrets) return null;
  if (!(await readMeta(db, "oldLogs"))) await findOldLogs(db, identity);
  const strict = (await readMeta(db, "strict")) ?? false;
  const sealer = makeSealer(db, secrets, identity.organisation, strict);
  const core = {
    db,
    identity,
    secrets,
    sealer,
    offsetMs: (await readMeta(db, "offsetMs")) ?? 0,
  } as Core;
  core.clock = makeClock(identity.zone, () => Math.floor((env.nowMs() + core.offsetMs) / 1000));
  const index = {
    schemas: () => core.directory.schemas,
    clock: () => core.clock,
    doubleKey: new Uint8Array(0) as Uint8Array,
  };
  core.store = new IdbStore({
    db,
    env,
    sealer,
    index: (r, scope) => viewRow(index, r, scope),
    canIndex: () => index.doubleKey.length > 0,
    ...hooks,
  });
  core.directory = new Directory(db, core.store);
  const load = async () => {
    index.doubleKey = await openDoubleKey(db, sealer);
    await core.directory.load();
    if (sealer.strict) await closeDrafts(core);
    await core.store.repair();
    if ((await readMeta(db, "indexVersion")) === INDEX_VERSION) return;
    await core.store.reindex(null);
    await writeMeta(db, "indexVersion", INDEX_VERSION);
  };
  // closed: what new entries need lies outside; where it does not open the tablet waits for its share
  if (sealer.closed) await core.directory.load().catch(() => undefined);
  else await load();
  core.protect = protector(core, load, hooks);
  core.unlock = async (share) => {
    const now = (await db.get("secrets", "device"))!;
    sealer.become(makeSealer(db, now, identity.organisation, (await readMeta(db, "strict")) ?? false));
    if (sealer.strict) sealer.unlock(share);
    await load();
  };
  core.ports = await portsOf(core);
  core.startNewLog = () => {
    const writer = hex(randomBytes(ID_BYTES));
    const { device, organisation } = core.identity;
    const head = chainStart(organisation, writer);
    return core.store.apply([{ to: "newWriter", writer, device, head, askedMs: 0 }]);
  };
  core.confirmErasures = async (deviceS) => {
    for (const due of (await readMeta(db, "purgesDue")) ?? []) {
      const version = core.directory.schemas.byName("purge")?.version ?? 1;
      await core.store.append(purgeOp(due, version, deviceS), (tx) => purgeDone(tx, due.tombstone));
    }
  };
  core.looks = new Looks(core, env);
  core.keepSafe = (nowMs) => core.store.dropSafe(nowMs);
  return core;
}
const makeSealer = (db: Db, secrets: Secrets, organisation: string, strict = false): Sealer => {
  const epochs = {
    add: async (salt: Uint8Array) => Number(await db.add("epochs", salt)),
    salt: (epoch: number) => db.get("epochs", epoch),
  };
  return new Sealer(secrets, organisation, epochs, strict);
};
/** PROTO-164. What the share opens is read before it counts: a wrong one changes nothing (the key of natural
 *  keys is read first, and opens with the right one only). */
const protector =
  (core: Core, load: () => Promise<void>, hooks: CoreHooks) =>
  async (strict: boolean, share: Uint8Array | null): Promise<void> => {
    const { sealer } = core;
    if (strict && !share) return fail("format", "strict, and no share");
    const was = { closed: sealer.closed, strict: sealer.strict };
    if (was.closed) {
      if (!share) throw appError("closed");
      sealer.unlock(share);
      try {
        await load();
      } catch (e) {
        sealer.unlock(null);
        throw e;
      }
    }
    if (strict !== was.strict) await core.store.protect(strict ? share : null);
    if (was.closed || strict !== was.strict) await hooks.opened(sealer.share);
  };
const DOUBLE_KEY = "double key";
async function openDoubleKey(db: Db, sealer: Sealer): Promise<Uint8Array> {
  const sealed = await readMeta(db, "doubleKey");
  if (sealed) return sealer.open(DOUBLE_KEY, sealed);
  const key = randomBytes(32);
  await writeMeta(db, "doubleKey", await sealer.seal(DOUBLE_KEY, key));
  return key;
}
async function portsOf(core: Core): Promise<Ports> {
  const verify = await verifierOf(core.identity.serverKey);
  return {
    store: core.store,
    closed: () => core.sealer.closed,
    protect: (strict, share) => core.protect(strict, share),
    sign: (bytes) => signWith(core.secrets.device, bytes),
    verify,
    random: randomBytes,
    windowedKinds: () => core.directory.schemas.windowedKinds(),
  };
}

// -- enrolment ------------------------------------------------------------------------------------------

export { makeSecrets };

/** Keeps what ENROLLED said, as one transaction. What an earlier enrolment of this browser received goes;
 *  entries  that it never sent stay for an export. */
export async function keepEnrolment(
  db: Db,
  secrets: Secrets,
  e: Enrolled,
  of: { url: string; deviceName: string; nowMs: number },
): Promise<void> {
  const writer = hex(randomBytes(ID_BYTES));
  const head = chainStart(e.organisation, writer);
  const sealer = makeSealer(db, secrets, e.organisation);
  await db.clear("epochs"); // of an earlier store key
  const keys = await Promise.all(
    e.scopes.map(async (s) => {
      const owner = scopeKey(s.scope);
      return { owner, sealed: await sealer.sealOutside(`key ${owner}`, s.key) };
    }),
  );
  const tables = [
    "meta",
    "secrets",
    "keys",
    "entries",
    "parts",
    "staged",
    "views",
    "dirty",
    "pins",
    "drafts",
  ] as const;
  const tx = db.transaction(tables, "readwrite", { durability: "strict" }) as unknown as Write;
  try {
    await forgetReceived(tx);
    await tx.objectStore("secrets").put(await keptOwnKey(tx, secrets), "device");
    for (const { owner, sealed } of keys) await tx.objectStore("keys").put(sealed, owner);
    await putMeta(tx, "identity", {
      url: of.url,
      device: e.device,
      organisation: e.organisation,
      serverName: new URL(of.url).hostname,
      serverKey: e.serverKey,
      deviceRecord: e.deviceRecord,
      deviceName: of.deviceName,
      zone: e.zone,
    });
    await putMeta(tx, "server", e.server);
    await putMeta(tx, "offsetMs", e.timeMs - of.nowMs);
    await putMeta(tx, "lease", { syncedMs: e.timeMs, highMs: e.timeMs });
    const before = await metaOf(tx, "log");
    const fresh = { writer, device: e.device, head, askedMs: 0 };
    await newWriter(tx, before ?? { ...fresh, seq: 0, acked: 0, safe: 0 }, fresh);
    await tx.done;
  } catch (error) {
    throw storageError(error);
  }
}
async function forgetReceived(tx: Write): Promise<void> {
  for (const table of ["keys", "parts", "staged", "views", "dirty", "pins", "drafts"] as const)
    await tx.objectStore(table).clear();
  const gone = [
    "cursors",
    "staged",
    "doubleKey",
    "revoked",
    "allSentAt",
    "lastSync",
    "indexVersion",
    "safeSince",
    "looks",
    "notedLooks",
    "strict",
  ];
  for (const key of gone) await tx.objectStore("meta").delete(key);
  const entries = tx.objectStore("entries");
  for (const row of await entries.getAll()) {
    if (row.receipt) await entries.delete([row.w, row.seq]);
    else await entries.put(offTop(row));
  }
}
/** Unsent entries of before open under the key that they were sealed with. */
async function keptOwnKey(tx: Write, fresh: Secrets): Promise<Secrets> {
  const before = await tx.objectStore("secrets").get("device");
  const kept = before && (await tx.objectStore("entries").count()) > 0;
  return kept ? { ...fresh, own: before.own } : fresh;
}
