// Made by scripts/generate.mjs from proto/PROTOCOL.md: do not edit.

export const LIMITS = {
  /** message, before compression */
  FRAME_BYTES_DEFAULT: 16384,
  /** least that may be negotiated */
  FRAME_BYTES_MIN: 4096,
  /** largest message */
  FRAME_BYTES_MAX: 65536,
  /** WebSocket message */
  WS_MESSAGE_BYTES_MAX: 65600,
  /** MessagePack objects in a message */
  FRAME_OBJECTS_MAX: 65536,
  /** containers inside one another */
  NESTING_MAX: 8,
  /** canonical payload of an op */
  PAYLOAD_BYTES_MAX: 12288,
  /** canonical header */
  HEADER_BYTES_MAX: 256,
  /** fields of an op */
  OP_FIELDS_MAX: 128,
  /** field id */
  FIELD_ID_MAX: 127,
  /** kind id */
  KIND_ID_MAX: 4095,
  /** names one op replaces */
  OP_REPLACES_MAX: 256,
  /** elements of a set change, added and deleted together */
  SET_ELEMENTS_MAX: 256,
  /** a text or bytes value */
  TEXT_BYTES_MAX: 10240,
  /** rows of a message */
  FRAME_ROWS_MAX: 4096,
  /** ops of a record that are folded */
  RECORD_OPS_MAX: 4096,
  /** values of a record that are folded */
  RECORD_VALUES_MAX: 24576,
  /** names that resolve, over all ops of a record */
  RECORD_LINKS_MAX: 65536,
  /** encoded state of a record, its held ops apart */
  RECORD_BYTES_MAX: 49152,
  /** held ops of a record in DELTA, the first by name */
  DELTA_HELD_MAX: 256,
  /** seq, position */
  SEQ_MAX: 9007199254740991,
  /** device time, either way */
  TIME_S_MAX: 9007199254740991,
  /** scopes of a device; cursors */
  SCOPES_MAX: 64,
  /** tips; branches of one writer */
  TIPS_MAX: 16,
  /** rungs */
  LADDER_MAX: 40,
  /** DELTA frames on their way */
  CREDIT_DEFAULT: 64,
  /** the same, most */
  CREDIT_MAX: 1024,
  /** PUSH messages without an answer */
  PUSHES_UNANSWERED_MAX: 4,
  /** HELLO's clock, before it is challenged */
  HELLO_SKEW_MS_MAX: 120000,
  /** clock offset, before it is flagged */
  CLOCK_SUSPECT_S: 300,
  /** held ops in one ACK */
  ACK_HELD_MAX: 256,
  /** receipts in one ACK */
  ACK_RECEIPTS_MAX: 64,
  /** commit keys in PUSH; names in NEED_KEYS */
  PUSH_KEYS_MAX: 256,
  /** text of ERROR */
  ERROR_TEXT_MAX: 200,
  /** enrolment code as typed */
  CODE_TEXT_MAX: 32,
  /** device name */
  DEVICE_NAME_MAX: 64,
  /** days that windowed kinds travel */
  WINDOW_DAYS: 30,
  /** one schema */
  SCHEMA_BYTES_MAX: 10240,
  /** kinds */
  SCHEMA_KINDS_MAX: 256,
  /** codes of a field */
  SCHEMA_CODES_MAX: 128,
  /** field name */
  FIELD_NAME_MAX: 32,
  /** label */
  LABEL_BYTES_MAX: 160,
  /** reason of a retraction */
  RETRACTION_BYTES_MAX: 500,
} as const;

/** Errors that travel: number, and WebSocket close code (0: class reply, the connection stays). */
export const ERRORS = {
  gap: { nr: 1, close: 0 },
  branch: { nr: 2, close: 0 },
  op_format: { nr: 3, close: 0 },
  op_limit: { nr: 4, close: 0 },
  need_keys: { nr: 5, close: 0 },
  busy: { nr: 6, close: 0 },
  full: { nr: 7, close: 0 },
  readonly: { nr: 8, close: 0 },
  format: { nr: 20, close: 1007 },
  limit: { nr: 21, close: 1009 },
  state: { nr: 22, close: 1002 },
  version: { nr: 23, close: 4001 },
  auth: { nr: 24, close: 4003 },
  revoked: { nr: 25, close: 4003 },
  code: { nr: 26, close: 4004 },
  foreign: { nr: 27, close: 4003 },
  timeout: { nr: 28, close: 1008 },
  shutdown: { nr: 29, close: 1001 },
  flood: { nr: 30, close: 1008 },
} as const;

/** Why an op is held (PROTO-91). */
export const HELD_REASONS: Readonly<Record<number, string>> = {
  1: "a value has the wrong type",
  2: "a value is out of range",
  3: "a value is not in the code list",
  4: "a text is too long",
  5: "a field does not exist in this form",
  6: "the author may not do this",
  7: "the device may not do this",
  8: "this does not belong to the team",
  9: "the client's data were erased",
  10: "the form does not fit the record",
  11: "it refers to something that does not fit",
  12: "the device was revoked",
  13: "the record has too many changes and is frozen",
};

export const TYPES = {
  ENROL: 1,
  ENROLLED: 2,
  HELLO: 3,
  WELCOME: 4,
  CHALLENGE: 5,
  PROOF: 6,
  PUSH: 7,
  ACK: 8,
  DELTA: 9,
  ACKED: 10,
  BYE: 11,
  ERROR: 12,
  SYNCED: 13,
} as const;
export type MsgName = keyof typeof TYPES;

export const VERDICTS = {
  waiting: 0,
  applied: 1,
  held: 2,
  dismissed: 3,
  void: 4,
  erased: 5,
} as const;
export type Verdict = keyof typeof VERDICTS;

export type State =
  | "START"
  | "ENROLLING"
  | "ENROLLED"
  | "GREETED"
  | "CHALLENGED"
  | "PROVED"
  | "OPEN"
  | "CLOSED";
export type Role = "client" | "server";
/** What each side may send in a state, and the state after it (section 9). */
export type Sends = Readonly<Partial<Record<MsgName, State>>>;
export const PEER: Readonly<Record<State, Readonly<Record<Role, Sends>>>> = {
  START: {
    client: { ENROL: "ENROLLING", HELLO: "GREETED", BYE: "CLOSED", ERROR: "CLOSED" },
    server: { BYE: "CLOSED", ERROR: "CLOSED" },
  },
  ENROLLING: {
    client: { BYE: "CLOSED", ERROR: "CLOSED" },
    server: { ENROLLED: "ENROLLED", BYE: "CLOSED", ERROR: "CLOSED" },
  },
  ENROLLED: {
    client: { HELLO: "GREETED", BYE: "CLOSED", ERROR: "CLOSED" },
    server: { BYE: "CLOSED", ERROR: "CLOSED" },
  },
  GREETED: {
    client: { PUSH: "GREETED", BYE: "CLOSED", ERROR: "CLOSED" },
    server: { WELCOME: "OPEN", CHALLENGE: "CHALLENGED", BYE: "CLOSED", ERROR: "CLOSED" },
  },
  CHALLENGED: {
    client: { PROOF: "PROVED", PUSH: "CHALLENGED", BYE: "CLOSED", ERROR: "CLOSED" },
    server: { BYE: "CLOSED", ERROR: "CLOSED" },
  },
  PROVED: {
    client: { PUSH: "PROVED", BYE: "CLOSED", ERROR: "CLOSED" },
    server: { WELCOME: "OPEN", BYE: "CLOSED", ERROR: "CLOSED" },
  },
  OPEN: {
    client: { PUSH: "OPEN", ACKED: "OPEN", BYE: "CLOSED", ERROR: "CLOSED" },
    server: { ACK: "OPEN", DELTA: "OPEN", SYNCED: "OPEN", BYE: "CLOSED", ERROR: "OPEN" },
  },
  CLOSED: { client: {}, server: {} },
};

/** SHA-256 of dictionary 1 (PROTO-6). */
export const DICT1_SHA256 = "b21a041ec3f3ca33ebad05ffb4976f04bb72d08045f1b37b9bc9eb6ac53b7332";
