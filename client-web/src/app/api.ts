// What the screens know of the engine: everything, and nothing of keys, bytes, messages or storage.
//
// Rules that hold throughout:
// - Ids are opaque texts. They compare with ===, last as long as the thing, and say nothing.
// - What is a property is known at once; what is a method that gives a Promise reads the store. A method
//   that cannot do what it is asked rejects with an AppError, whose `text` is fit to be shown, and
//   nothing was changed.
// - After every change the listeners of onChange are told what kind of thing changed; what they read
//   from then on is new. Objects that were given before never change.
// - Seconds are counted since 1970-01-01 UTC, by the corrected clock (the server's, as far as known).
//   Days are calendar days since 1970-01-01. Local time is that of the organisation, whatever the tablet
//   believes.

export type Id = string;
/** Dutch first; both are plain text, never markup. */
export interface Text {
  nl: string;
  en: string;
}
export type Lang = keyof Text;

/** Opens the store and all that belongs to it, once a page. Resolves when the state of the device is known,
 *  with or without a network. Rejects with an AppError when the browser gives no storage at all. */
export type OpenApp = () => Promise<App>;

export interface App {
  readonly device: Device;
  /** Who works on the tablet now; null: locked. */
  readonly person: Person | null;
  readonly sync: SyncStatus;
  readonly update: UpdateStatus;
  readonly settings: Settings;
  readonly clock: Clock;
  /** App and build, for a help page. */
  readonly version: string;

  onChange(listener: (change: Change) => void): Unsubscribe;
  /** Stops syncing and closes the store; for tests and before a reload. */
  close(): Promise<void>;

  // -- the tablet ---------------------------------------------------------------------------------------

  /** Enrols this browser with a code of an administrator. code: as typed, case and separators do not
   *  matter.  url: of the server; absent: where the app came from. tabletName: for the administrator's
   *  list, 1–64 bytes.  AppError: code_wrong, offline, version, server, storage. Resolves once the first
   *  sync is complete, or, with device.state "ready" all the same, when that one was cut short (it goes
   *  on by itself). */
  enrol(code: string, tabletName: string, url?: string): Promise<void>;
  /** The code that the page's address brought (/#code=…); it is taken out of the address when the app
   *  opens. */
  readonly offeredCode: string | null;

  // -- who works on it ----------------------------------------------------------------------------------

  /** Active people of the team, by name. */
  people(team: Id): Promise<Person[]>;
  /** First time on this tablet: chooses a PIN (4 to 12 digits) and signs in. Needs a sync of the last
   *  quarter of an hour and a tablet that is ready, so that somebody who has left cannot come in. AppError:
   *  pin_exists, pin_weak, offline, person_gone. */
  choosePin(person: Id, pin: string): Promise<void>;
  /** On a device of one's own, whose person signed in at the server just now: no PIN. The server holds what
   *  such a device writes for anybody else. AppError: person_gone, locked, closed, revoked. */
  signInVouched(person: Id): Promise<void>;
  /** Signs in, in the place of who was. Says what was wrong; waitS: seconds in which any further try is
   *  refused without being looked at. */
  signIn(person: Id, pin: string): Promise<SignIn>;
  /** Nobody works on the tablet any more; drafts are the screens' affair. */
  lock(): void;
  /** Takes a colleague's PIN away, so that a new one can be chosen. AppError: not_signed_in, own_pin. */
  clearPin(person: Id): Promise<void>;

  // -- what there is to know ----------------------------------------------------------------------------

  /** Teams that this tablet belongs to, by name. */
  teams(): Team[];
  /** Clients of the team in care, by label. */
  clients(team: Id): Promise<Client[]>;
  client(id: Id): Promise<Client | null>;
  /** Running projects of the team, by name. */
  projects(team: Id): Choice[];
  /** What a reference field can point to, by label. */
  choices(field: FieldInfo, team: Id): Promise<Choice[]>;
  /** Label of anything that a field can refer to (person, project, technology …); null when it is not
   *  here. */
  labelOf(id: Id): Promise<string | null>;
  /** Kinds that carers log, in the order of a shift. Empty before the first sync. */
  kinds(): KindInfo[];
  /** By its number or its stable name ("sleep"). */
  kind(which: number | string): KindInfo | null;

  // -- records ------------------------------------------------------------------------------------------
  // Reading needs somebody signed in (AppError not_signed_in) and a tablet that shows what was recorded
  // (AppError locked or closed: device.entryOnly). So does all writing below but save, check and takeBack.

  /** Newest first. What is retracted is among them and says so. */
  records(query: Query): Promise<RecordView[]>;
  record(id: Id): Promise<RecordView | null>;
  /** Records of the team that somebody must look at: conflicts, held entries, possible doubles, refused
   *  entries. */
  attention(team: Id): Promise<RecordView[]>;
  /** What changed in the team in the last so many hours (24), newest first, for the hand-over. */
  handover(team: Id, hours?: number): Promise<RecordView[]>;
  /** For each client of the team, what was logged since `from` (seconds): the team board. */
  board(team: Id, from: number): Promise<BoardLine[]>;

  // -- writing ------------------------------------------------------------------------------------------
  // Each is on this tablet, and survives its end, when the Promise resolves. AppError: not_signed_in, revoked,
  // problems (a value that no server would take; nothing is saved), storage_full, storage.

  /** Values to begin a form with: the project if there is only one, and when it happened. */
  prefill(kind: number, client: Id, team: Id): Promise<Values>;
  /** The usual times: clock times of the latest record of this kind and client, moved to the given day.
   *  Times only, never an outcome. Empty when there is none. */
  usualTimes(kind: number, client: Id, day: number): Promise<Values>;
  /** What is wrong with a form and what it still lacks. Costs nothing; fit for every key stroke. */
  judge(kind: number, values: Values): Judgement;
  /** A new record. */
  save(draft: Draft): Promise<Id>;
  /** Changes only these fields; what others changed meanwhile stays, and meets as a conflict where it is
   *  the same field. `seen`: the view that the form was drawn from. A null empties a field. */
  edit(seen: RecordView, changed: Values): Promise<void>;
  /** 'Per ongeluk ingevoerd.' reason: 1–500 bytes. */
  retract(seen: RecordView, reason: string): Promise<void>;
  undoRetraction(seen: RecordView): Promise<void>;
  /** Settles a field in conflict with a value, one of those shown or another. Field 1 settles a
   *  retraction in conflict: a reason retracts, null keeps the record. */
  resolve(seen: RecordView, field: number, value: Value): Promise<void>;
  /** Night rounds: a quick tap. state: code of sleep_check's field `state`; at: seconds, now when absent. */
  check(client: Id, team: Id, state: number, at?: number): Promise<Id>;
  /** What the person signed in tapped since this page was opened and no server has, newest first; without
   *  what was taken back. Known also while the tablet is entryOnly. */
  taps(): Promise<readonly Tap[]>;
  /** A wrong tap: the entry is kept and counts no more. While the tablet is entryOnly one of `taps` only,
   *  else also one that was sent since. reason: as of retract. AppError locked, closed, gone. */
  takeBack(tap: Id, reason: string): Promise<void>;

  // -- sending ------------------------------------------------------------------------------------------

  /** Sends and receives now, whatever the waiting time after a failure. Resolves when that is done or has
   *  failed;  `sync` says which. Never rejects. */
  syncNow(): Promise<void>;
  /** All that this tablet ever wrote counts as unsent from now on and is offered to the server once more.
   *  That takes what it lacks and keeps nothing twice; what is shown stays. Noted when it resolves; it is
   *  sent by itself. AppError: locked, closed, revoked, not_enrolled, storage_full, storage. */
  offerAgain(): Promise<void>;
  /** 'Einde dienst': locks, and sends. */
  endShift(): Promise<void>;
  /** Entries that are not on the server, as a file for the administrator, the last resort. It holds care
   *  data in readable form: say so before. */
  exportUnsent(): Promise<ExportFile>;

  // -- settings, updates --------------------------------------------------------------------------------

  set(change: Partial<Settings>): Promise<void>;
  // -- drafts -------------------------------------------------------------------------------------------
  // A form that was begun and not saved, of the person signed in: sealed like an entry, never sent,
  // dropped after 7 days. They survive a lock, a reload and the next carer's turn.

  /** `key`: the screens' own, another for each form begun: what has the same key is replaced, also what is
   *  not shown now (entryOnly). body: JSON text of at most 256 KiB; null drops it. */
  keepDraft(key: string, body: string | null): Promise<void>;
  /** Drafts of the person signed in, by key. While the tablet is entryOnly: those begun since it is. */
  drafts(): Promise<ReadonlyMap<string, string>>;

  /** Starts the new version; the page loads again. Call it at a safe moment: no form open. */
  applyUpdate(): void;
}

export type Unsubscribe = () => void;

export interface Change {
  what: ReadonlySet<
    "device" | "person" | "people" | "sync" | "records" | "kinds" | "settings" | "update" | "clock"
  >;
  /** records that changed, when `what` has "records"; null: too many to name, or all */
  records: ReadonlySet<Id> | null;
}

// -- the tablet -----------------------------------------------------------------------------------------

export type DeviceState =
  /** not enrolled */
  | "new"
  /** the browser has thrown away the store of an enrolled tablet: enrol again, tell what may be lost */
  | "store_lost"
  | "ready"
  /** not synced for 14 days: nothing is shown until it has; entries are taken, kept and sent */
  | "lease_over"
  /** strictly protected and not in touch with the server since it was opened: likewise (PROTO-164) */
  | "closed"
  /** revoked by an administrator; everything received is gone from here */
  | "revoked"
  /** another tab runs a newer version of the app on this store: load again */
  | "newer_app_elsewhere";

export interface Device {
  readonly state: DeviceState;
  /** as the administrator knows it */
  readonly name: string;
  readonly organisation: string;
  /** IANA name, e.g. Europe/Amsterdam */
  readonly zone: string;
  /** the tablet's clock less the true one, seconds, when more than 300 apart; else 0 */
  readonly clockOffS: number;
  /** the server refuses this version of the app: load a newer one; entries are still taken and kept */
  readonly mustUpdate: boolean;
  /** the browser promises not to throw the store away by itself */
  readonly persistent: boolean;
  /** whole days until the lease ends; null when not enrolled */
  readonly leaseDays: number | null;
  /** "lease_over" and "closed": who works here signs in as ever and makes new entries, for clients whose labels
   *  are shown. All else that was recorded is neither shown nor changed: what reads it rejects with AppError
   *  locked or closed. */
  readonly entryOnly: boolean;
  /** what to say about `state`, null for "new" and "ready" */
  readonly notice: Notice | null;
}

/** Something to show, and what to do about it. */
export interface Notice {
  /** stable, for tests and styles */
  code: string;
  text: Text;
  todo: Text;
}

// -- people ---------------------------------------------------------------------------------------------

export interface Person {
  id: Id;
  name: string;
  /** a PIN has been chosen on this tablet */
  hasPin: boolean;
  /** seconds until the next try is looked at; 0 mostly */
  waitS: number;
}
export type SignIn =
  { ok: true } | { ok: false; why: "wrong" | "wait" | "no_pin" | "person_gone"; waitS: number; text: Text };

export interface Team {
  id: Id;
  name: string;
}
export interface Client {
  id: Id;
  label: string;
  /** teams that the client belongs to, among those of this tablet */
  teams: Id[];
}
export interface Choice {
  id: Id;
  label: string;
}

// -- forms ----------------------------------------------------------------------------------------------

export type FieldType =
  | "int"
  | "bool"
  | "code"
  | "codeset"
  | "date"
  | "datetime"
  | "text"
  | "ref"
  | "refset"
  | "scopeset"
  | "bytes";
/** int, bool (0, 1), code, date (days), datetime (seconds): a number; a missing code of the field may
 *  stand there.  text: a string. ref: an Id. codeset: numbers, ascending. refset: Ids. null: empty. */
export type Value = null | number | string | readonly number[] | readonly Id[];
/** By field id. A field that is absent was not touched; null was made empty. */
export type Values = Readonly<Record<number, Value>>;

export interface Option {
  code: number;
  label: Text;
}
export interface FieldInfo {
  id: number;
  /** stable, e.g. "night_date" */
  name: string;
  type: FieldType;
  label: Text;
  help: Text | null;
  /** always required; see judge for what is required because of other values */
  required: boolean;
  /** not always required, but when other values ask for it: the form shows it only then. `judge` says
   *  when. */
  conditional: boolean;
  lowest: number | null;
  highest: number | null;
  /** "min", "day", "year" */
  unit: string | null;
  /** bytes of UTF-8; 0: none given */
  maxBytes: number;
  options: readonly Option[];
  /** −98 'niet gevraagd', −99 'onbekend': the honest answers that this field takes */
  missing: readonly Option[];
  /** kind that a ref or refset points to */
  refKind: number;
}
export interface KindInfo {
  id: number;
  name: string;
  label: Text;
  /** false: a client is not named */
  needsClient: boolean;
  fields: readonly FieldInfo[];
  /** field that says when it happened; 0: none */
  occurred: number;
  /** the kind is newer than this app in a way that it cannot draw: show what is there, take no entry */
  readonly: boolean;
}

export type ProblemKind = "required" | "type" | "range" | "code" | "length" | "order";
export interface Problem {
  field: number;
  is: ProblemKind;
  text: Text;
  /** true: save and edit refuse it. false: the record is incomplete or odd, and may be saved. */
  blocks: boolean;
}
export interface Judgement {
  problems: readonly Problem[];
  /** fields that are required with these values, whether filled or not; for 'required-if' */
  required: ReadonlySet<number>;
  /** nothing blocks */
  savable: boolean;
  complete: boolean;
}
export interface Draft {
  kind: number;
  team: Id;
  client: Id | null;
  values: Values;
}

// -- records --------------------------------------------------------------------------------------------

export interface Query {
  team?: Id;
  client?: Id;
  /** one kind, or all that carers log */
  kind?: number;
  /** days of occurrence, both included */
  fromDay: number;
  toDay: number;
  /** at most so many; 200 */
  limit?: number;
}

/** Where the entries written on this tablet are. Records of others are on the server. */
export type Place = "tablet" | "server" | "safe";

export interface Said {
  value: Value;
  by: Id | null;
  byName: string | null;
  /** seconds, corrected */
  at: number;
  /** the clock of that tablet was more than 5 minutes off: mark the time */
  clockSuspect: boolean;
}
export interface FieldView extends Said {
  field: number;
  /** further values that nobody has chosen between: a conflict. In a codeset field the codes in doubt are
   *  in  `doubted`, and `others` holds the set as each of the others would have it. */
  others: readonly Said[];
  doubted: readonly number[];
}
export interface HeldEntry {
  /** reason of the protocol, 1–13, or 0: dismissed by the administrator, or refused by the server
   *  altogether */
  reason: number;
  is: "held" | "dismissed" | "refused";
  /** what is wrong, and the way out */
  notice: Notice;
  /** written on this tablet; then `values` are what it said */
  own: boolean;
  by: Id | null;
  byName: string | null;
  at: number | null;
  values: Values;
}
export interface RecordView {
  id: Id;
  kind: number;
  client: Id | null;
  team: Id | null;
  /** day of occurrence, local */
  day: number;
  /** second of occurrence when the kind knows one, else null */
  occurredAt: number | null;
  createdBy: Id | null;
  createdByName: string | null;
  createdAt: number;
  /** latest change */
  changedAt: number;
  /** those with a value, ascending */
  fields: readonly FieldView[];
  /** shown values, to begin a form with */
  values: Values;
  /** fields in conflict; 1 stands for the retraction itself */
  conflicts: readonly number[];
  /** "conflict": somebody retracted it and somebody else changed it meanwhile */
  retracted: "no" | "yes" | "conflict";
  /** reason, who and when, when somebody retracted it */
  retraction: Said | null;
  held: readonly HeldEntry[];
  /** other records with the same natural key that are not retracted */
  doubles: readonly Id[];
  /** required fields that are lacking */
  lacking: readonly number[];
  place: Place;
  /** opaque: what the carer saw, so that a change replaces nothing else */
  readonly seen: unknown;
}
export interface Tap {
  readonly id: Id;
  readonly client: Id;
  readonly state: number;
  /** seconds */
  readonly at: number;
}
export interface BoardLine {
  client: Client;
  /** how many records of each kind, not retracted */
  kinds: Readonly<Record<number, number>>;
  /** kinds with something incomplete, held, in conflict or double */
  attention: readonly number[];
}

// -- sending --------------------------------------------------------------------------------------------

export interface SyncStatus {
  /** entries of this tablet that no server has acknowledged */
  readonly unsent: number;
  /** of those: who looked at whom, for the audit. Nobody wrote them, and they are to be sent all the same */
  readonly looks: number;
  /** looks that are noted and not among `unsent` yet: they go by themselves with a sync, now and then */
  readonly noted: number;
  /** of those acknowledged: entries that are not in a backup or on a second server yet */
  readonly unsafe: number;
  /** records of this tablet's teams that somebody must look at; 0 while the tablet is entryOnly */
  readonly attention: number;
  readonly state: "idle" | "connecting" | "syncing" | "live" | "waiting";
  /** 0 … 1 of what was to be sent in this sync; null when nothing is under way */
  readonly progress: number | null;
  /** seconds; when everything was last known to be on the server; null: never. 'Alles is verstuurd om …'
   *  may be said only while unsent and noted are 0, and of entries alone while unsent is 0. */
  readonly allSentAt: number | null;
  /** seconds; last complete sync, both ways */
  readonly lastSync: number | null;
  /** seconds; next try by itself, when waiting */
  readonly nextTry: number | null;
  /** why the last try failed; null after a good one */
  readonly error: Notice | null;
  /** the browser says that there is a network */
  readonly online: boolean;
}
export interface ExportFile {
  /** e.g. overdracht-niet-verstuurd-2026-03-01.json */
  name: string;
  type: string;
  body: Blob;
  entries: number;
}

// -- settings, updates, clock, errors -------------------------------------------------------------------

export interface Settings {
  readonly lang: Lang;
  readonly theme: "system" | "light" | "dark";
  /** seconds without a touch after which the screens call lock() */
  readonly idleLockS: number;
  /** team chosen last; null: none */
  readonly team: Id | null;
}
export interface UpdateStatus {
  /** a new version is here and waits for applyUpdate */
  readonly ready: boolean;
  /** the app shell is stored: a second start needs no network */
  readonly offlineReady: boolean;
}
export interface Clock {
  /** corrected seconds */
  now(): number;
  /** local calendar day of a second */
  day(atS: number): number;
  /** the night that a second belongs to: before 12:00 local the day before */
  night(atS: number): number;
  /** second of a local clock time on a day; minutes after midnight, may exceed a day. Where the clock goes
   *  forward the time after the gap, where it goes back the first. */
  at(day: number, minutes: number): number;
  /** local minutes after midnight */
  minutes(atS: number): number;
}

export type AppErrorCode =
  | "code_wrong"
  | "offline"
  | "server"
  | "version"
  | "storage"
  | "storage_full"
  | "revoked"
  | "locked"
  | "closed"
  | "not_enrolled"
  | "not_signed_in"
  | "pin_exists"
  | "pin_weak"
  | "own_pin"
  | "person_gone"
  | "problems"
  | "gone";

export class AppError extends Error implements Notice {
  override readonly name = "AppError";
  constructor(
    readonly code: AppErrorCode,
    readonly text: Text,
    readonly todo: Text,
    /** for code "problems" */
    readonly problems: readonly Problem[] = [],
    cause?: unknown,
  ) {
    super(`${code}: ${text.en}`, { cause });
  }
}
