// The database: its tables, and what their rows hold in the open. Values that say something of somebody
// are sealed; keys and indexes hold opaque ids, kinds, days and numbers only.
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
import type { Id, Name } from "../proto/name.ts";
import type { LogState, OldLog, Receipt } from "../proto/log.ts";
import type { ScopeCursor } from "../proto/store.ts";
import type { PurgeDue } from "./erasure.ts";
import type { Secrets } from "./seal.ts";
import type { Settings } from "./api.ts";

/** An entry of an own log. Sealed under the device's own key. */
export interface EntryRow {
  w: Id;
  seq: number;
  /** its record, while it lies on top of the server part; absent then on */
  top?: Name;
  /** acknowledged, and still on top */
  ackTop?: 1;
  /** acknowledged and held, or refused altogether: somebody must look at it */
  att?: 1;
  record: Name;
  /** whom it is about; "" for nobody */
  client: Name | "";
  headerHash: Uint8Array;
  commitment: Uint8Array;
  head: Uint8Array;
  receipt: Receipt | null;
  refused: number;
  /** it says who looked at whom */
  look?: 1;
  /** header and payload; null once dropped */
  body: Uint8Array | null;
}
/** The server part of a record. */
export interface PartRow {
  scope: number;
  name: Name;
  kind: number;
  changed: number;
  /** the view row without own entries on top; kept beside a staged part until it is swapped in */
  row: ViewRow;
  body: Uint8Array;
}
/** Where a record is found: made from its view, and made again when in doubt. */
export interface ViewRow {
  name: Name;
  scope: number;
  kind: number;
  /** "" for none */
  client: Name | "";
  day: number;
  /** latest change, and creation, corrected seconds */
  at: number;
  made: number;
  /** retracted */
  ret: 0 | 1;
  /** lacks what is required */
  lacks: 0 | 1;
  /** the scope, when somebody must look at it; absent else */
  att?: number;
  /** keyed hash of the natural key */
  dk?: string;
}

export interface Meta {
  identity: IdentityRow;
  log: LogState;
  /** head(0) of the live log */
  head0: Uint8Array;
  /** logs of this device that the store left behind, in that order; absent in a store of an older app */
  oldLogs: OldLogRow[];
  server: Id;
  offsetMs: number;
  cursors: ScopeCursor[];
  staged: ScopeCursor[];
  lease: LeaseRow;
  /** server ms */
  allSentAt: number;
  lastSync: number;
  settings: Settings;
  revoked: true;
  /** what was received opens with the server's share only */
  strict: boolean;
  /** entries of earlier logs that no server took and none will */
  stranded: number;
  /** sealed key of natural keys */
  doubleKey: Uint8Array;
  /** bumped when view rows are made otherwise */
  indexVersion: number;
  /** receipts of erasures to be written */
  purgesDue: PurgeDue[];
  /** sealed: who looked at whom, not handed over yet */
  looks: Uint8Array;
  /** how many those are; absent in a store of an older app */
  notedLooks: number;
  /** entries with `look` that no server has acknowledged */
  unsentLooks: number;
  /** own ops up to seq were safe at that time */
  safeSince: { seq: number; ms: number }[];
}
export type OldLogRow = OldLog & { head0: Uint8Array };
export interface IdentityRow {
  url: string;
  device: Id;
  organisation: Id;
  serverName: string;
  serverKey: Uint8Array;
  deviceRecord: Name;
  deviceName: string;
  zone: string;
}
export interface LeaseRow {
  /** server time of the last session that was welcomed */
  syncedMs: number;
  /** highest corrected time ever seen: a clock set back lengthens no lease */
  highMs: number;
}
export interface PinRow {
  person: Name;
  salt: Uint8Array;
  verifier: Uint8Array;
  rounds: number;
  fails: number;
  /** tries before this are not looked at; own clock */
  untilMs: number;
  sinceMs: number;
}
export interface DraftRow {
  person: Name;
  key: string;
  at: number;
  /** begun while nothing recorded was shown, and so it holds nothing of that */
  blind?: 1;
  body: Uint8Array;
}

export interface Tables extends DBSchema {
  meta: { key: string; value: unknown };
  secrets: { key: string; value: Secrets };
  epochs: { key: number; value: Uint8Array };
  keys: { key: string; value: Uint8Array };
  entries: {
    key: [Id, number];
    value: EntryRow;
    indexes: { top: Name; ackTop: number; att: number; client: Name };
  };
  parts: { key: [number, Name]; value: PartRow; indexes: { name: Name; changed: [number, number] } };
  staged: { key: [number, Name]; value: PartRow };
  views: {
    key: Name;
    value: ViewRow;
    indexes: {
      kind: number;
      team: [number, number, number];
      client: [Name, number, number];
      at: [number, number];
      att: number;
      dk: string;
    };
  };
  /** records whose view row is to be made again */
  dirty: { key: Name; value: 1 };
  pins: { key: Name; value: PinRow };
  drafts: { key: [Name, string]; value: DraftRow };
}
export type Db = IDBPDatabase<Tables>;
export type TableName =
  | "meta"
  | "secrets"
  | "epochs"
  | "keys"
  | "entries"
  | "parts"
  | "staged"
  | "views"
  | "dirty"
  | "pins"
  | "drafts";
export type Write = IDBPTransaction<Tables, TableName[], "readwrite">;

export const DB_NAME = "overdracht";
/** Raised when tables are added. An older app then says that it must be loaded again; a newer one adds
 *  what is  missing and changes no row, so that unsent entries outlive every update. */
const DB_VERSION = 1;
/** Raised when view rows are made otherwise. */
export const INDEX_VERSION = 1;

export const ALL_TABLES: TableName[] = [
  "meta",
  "secrets",
  "epochs",
  "keys",
  "entries",
  "parts",
  "staged",
  "views",
  "dirty",
  "pins",
  "drafts",
];

function create(db: Db): void {
  for (const table of ["meta", "secrets", "keys", "dirty"] as const) db.createObjectStore(table);
  db.createObjectStore("epochs", { autoIncrement: true });
  const entries = db.createObjectStore("entries", { keyPath: ["w", "seq"] });
  for (const index of ["top", "ackTop", "att", "client"] as const) entries.createIndex(index, index);
  const parts = db.createObjectStore("parts", { keyPath: ["scope", "name"] });
  parts.createIndex("name", "name");
  parts.createIndex("changed", ["kind", "changed"]);
  db.createObjectStore("staged", { keyPath: ["scope", "name"] });
  const views = db.createObjectStore("views", { keyPath: "name" });
  views.createIndex("kind", "kind");
  views.createIndex("team", ["scope", "kind", "day"]);
  views.createIndex("client", ["client", "kind", "day"]);
  views.createIndex("at", ["scope", "at"]);
  views.createIndex("att", "att");
  views.createIndex("dk", "dk");
  db.createObjectStore("pins", { keyPath: "person" });
  db.createObjectStore("drafts", { keyPath: ["person", "key"] });
}

export class NewerDatabase extends Error {}

/** onNewer: another tab wants to open a newer version; this one has let go. */
export async function openDatabase(
  onNewer: () => void,
  onGone: () => void,
  name: string = DB_NAME,
): Promise<Db> {
  try {
    return await openDB<Tables>(name, DB_VERSION, {
      upgrade(db, from) {
        if (from < 1) create(db);
      },
      blocking(_current, _blocked, event) {
        (event.target as IDBDatabase).close();
        onNewer();
      },
      terminated: onGone,
    });
  } catch (e) {
    if (e instanceof DOMException && e.name === "VersionError") throw new NewerDatabase();
    throw e;
  }
}

export async function readMeta<K extends keyof Meta>(db: Db, key: K): Promise<Meta[K] | undefined> {
  return (await db.get("meta", key)) as Meta[K] | undefined;
}
export async function writeMeta<K extends keyof Meta>(db: Db, key: K, value: Meta[K]): Promise<void> {
  await db.put("meta", value, key);
}
export async function metaOf<K extends keyof Meta>(tx: Write, key: K): Promise<Meta[K] | undefined> {
  return (await tx.objectStore("meta").get(key)) as Meta[K] | undefined;
}
export async function putMeta<K extends keyof Meta>(tx: Write, key: K, value: Meta[K]): Promise<void> {
  await tx.objectStore("meta").put(value, key);
}
