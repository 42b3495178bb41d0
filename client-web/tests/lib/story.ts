// A session against a scripted server: all ports answer at once, and the store is in memory.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { chainStart, signedAck } from "../../src/proto/chain.ts";
import { type FoldIn, fold } from "../../src/proto/fold.ts";
import { packFrame, unpackFrame } from "../../src/proto/frame.ts";
import { ERRORS, LIMITS } from "../../src/proto/generated.ts";
import { appendOp } from "../../src/proto/log.ts";
import type { Ack, ErrorMsg, Msg, Push, Welcome } from "../../src/proto/messages.ts";
import { bodyOf, decodeMessage, encodeMessage, withSignature } from "../../src/proto/msg.ts";
import { type Id, type Name, ZERO_ID, makeName } from "../../src/proto/name.ts";
import { KIND, type WholeOp } from "../../src/proto/op.ts";
import { type Rec, recordToRows } from "../../src/proto/record.ts";
import { decodeRows, encodeRows } from "../../src/proto/rows.ts";
import { Session } from "../../src/proto/session.ts";
import { runNow } from "../../src/proto/steps.ts";
import { MemoryStore, scopeKey } from "../../src/proto/store.ts";

export const NOW = 1763800000_000;
export const SERVER = "50".repeat(16);
export const WRITER = "10".repeat(16);
export const ID = { device: "30".repeat(16), organisation: "90".repeat(16), serverName: "zorg.example" };
const device = generateKeyPairSync("ec", { namedCurve: "P-256" });
const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ieee = { dsaEncoding: "ieee-p1363" as const };

export class Story {
  readonly store = new MemoryStore(WRITER, ID.device, chainStart(ID.organisation, WRITER));
  session!: Session;
  /** plain messages that the client sent and the script has not looked at */
  sent: Msg[] = [];
  hello: Extract<Msg, { type: "HELLO" }> | undefined;
  /** that has answered */
  #server = SERVER;
  #nowMs = NOW;

  constructor() {
    this.store.apply([
      { to: "server", server: SERVER },
      ...[1, 2].map((s) => ({ to: "key" as const, of: scopeKey(s), key: new Uint8Array(32).fill(s) })),
    ]);
  }
  write(
    value: number,
    record: Name | null = null,
    replaces: Name[] = [],
    participant: Name | null = null,
    kind = 20,
  ): Name {
    const header = { scope: 2, record, kind, version: 1, participant, author: null };
    const draft = { ...header, time: NOW / 1000, fields: [{ id: 19, value }], replaces };
    const { entry, log } = appendOp(this.store.log(), draft, this.store.key(participant ?? scopeKey(2))!);
    this.store.append(entry, log);
    return entry.op.name;
  }
  greet(live = false, skip: ReadonlySet<Id> = new Set(), nowMs = NOW): this {
    const ports = {
      store: this.store,
      sign: (p: Uint8Array) => new Uint8Array(sign("sha256", p, { key: device.privateKey, ...ieee })),
      verify: (p: Uint8Array, s: Uint8Array) => verify("sha256", p, { key: server.publicKey, ...ieee }, s),
      random: (n: number) => new Uint8Array(randomBytes(n)),
      windowedKinds: () => [20],
    };
    this.sent = [];
    this.session = new Session({ ...ID, serverKey: new Uint8Array(65) }, ports, {
      live,
      skip,
      credit: 0,
      frameBytes: 0,
    });
    this.#nowMs = nowMs;
    runNow(this.session.start(nowMs));
    this.#collect();
    this.hello = this.sent.shift() as typeof this.hello;
    assert.equal(this.hello?.type, "HELLO");
    return this;
  }
  #collect(): void {
    for (const frame of this.session.take()) this.sent.push(decodeMessage(unpackFrame(frame), ZERO_ID));
  }
  frame(frame: Uint8Array): this {
    runNow(this.session.receive(frame, this.#nowMs));
    this.#collect();
    return this;
  }
  /** Something was added to the log. */
  changed(): this {
    runNow(this.session.changed());
    this.#collect();
    return this;
  }
  say(m: object): this {
    return this.frame(packFrame(encodeMessage(m as never)));
  }
  welcome(more: Partial<Welcome> = {}): this {
    const frameBytes = LIMITS.FRAME_BYTES_DEFAULT;
    this.#server = more.server ?? SERVER;
    const usual = {
      version: 1,
      server: SERVER,
      timeMs: this.#nowMs,
      own: 0,
      safeUpTo: 0,
      scopes: [],
      frameBytes,
      credit: 64,
      strict: 0,
      share: null,
    };
    return this.say({ type: "WELCOME", ...usual, retryS: 0, tips: [], ladder: [], ...more });
  }
  ack(upTo: number, more: Partial<Ack> = {}): this {
    const receipts = [{ upTo, timeMs: NOW + 500, offsetMs: 250 }];
    const head = this.store.heads(this.hello!.writer, [upTo])[0] ?? new Uint8Array(32);
    const plain = encodeMessage({
      type: "ACK",
      ...{
        upTo,
        head,
        safeUpTo: 0,
        receipts,
        held: [],
        refused: null,
        signature: new Uint8Array(64),
        ...more,
      },
    });
    const bytes = signedAck(this.#server, ID.organisation, this.hello!.writer, bodyOf(plain));
    const signature = sign("sha256", bytes, { key: server.privateKey, ...ieee });
    return this.frame(packFrame(withSignature(plain, signature)));
  }
  error(slug: keyof typeof ERRORS, more: Partial<ErrorMsg> = {}): this {
    const usual = { error: ERRORS[slug].nr, seq: 0, retryS: 0, text: "", tips: [], ladder: [], names: [] };
    return this.say({ type: "ERROR", ...usual, ...more });
  }
  delta(
    from: number,
    to: number,
    records: Rec[],
    more: { more?: boolean; gone?: Name[]; scope?: number } = {},
  ): this {
    const scope = more.scope ?? 2;
    const rows = records.flatMap(recordToRows);
    const ctx = { named: true, writer: SERVER, server: SERVER, firstSeq: 0, baseTime: NOW / 1000 };
    return this.say({
      type: "DELTA",
      ...{ scope, from, to, hash: new Uint8Array(16).fill(to), time: NOW / 1000, more: more.more ?? false },
      rows: rows.length ? encodeRows(ctx, rows).bytes : new Uint8Array(0),
      changed: records.map(() => ({ records: 1, time: 0 })),
      ...{ extras: [], gone: more.gone ?? [] },
    });
  }
  synced(): this {
    return this.say({ type: "SYNCED" });
  }
  pushes(): Push[] {
    return this.sent.splice(0).filter((m) => m.type === "PUSH") as Push[];
  }
  seqs(p: Push): number[] {
    const { writer } = this.hello!;
    const ctx = { named: false, writer, server: SERVER, firstSeq: p.firstSeq, baseTime: NOW / 1000 };
    return decodeRows(ctx, p.rows).map((_, i) => p.firstSeq + i);
  }
}

export const made = (seq: number, kind: number, fields: WholeOp["fields"]): Rec => {
  const op: WholeOp = {
    ...{
      form: "whole",
      name: makeName("20".repeat(16), seq, "aabbccdd"),
      scope: 2,
      record: null,
      kind,
      version: 1,
    },
    ...{ participant: null, author: null, time: NOW / 1000, fields, replaces: [] },
  };
  const i: FoldIn = { op, verdict: "applied", reason: 0, serverTime: NOW / 1000, offset: 0 };
  return fold([i]);
};
export const record = (seq: number, value: number): Rec => made(seq, 20, [{ id: 19, value }]);
/** A participant of these teams. */
export const participant = (seq: number, ...teams: number[]): Rec =>
  made(seq, KIND.PARTICIPANT, [{ id: 4, value: { add: teams, del: [] } }]);
