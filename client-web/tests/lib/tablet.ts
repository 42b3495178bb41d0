// A tablet for tests: keys, a store in memory, a real WebSocket, and the session between them.
import { type KeyObject, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import WebSocket from "ws";
import { hex } from "../../src/proto/bytes.ts";
import { chainStart, keyOwner } from "../../src/proto/chain.ts";
import { TYPES } from "../../src/proto/generated.ts";
import { packFrame, unpackFrame } from "../../src/proto/frame.ts";
import { Enrolment } from "../../src/proto/enrol.ts";
import { appendOp, overlay } from "../../src/proto/log.ts";
import { SUBPROTOCOL } from "../../src/proto/messages.ts";
import { type Name, ZERO_TAG, makeName } from "../../src/proto/name.ts";
import { FIELD_RETRACTED, type Field, KIND } from "../../src/proto/op.ts";
import { type Rec, replacesAll, replacesFor } from "../../src/proto/record.ts";
import { Schemas } from "../../src/proto/schema.ts";
import { type Event, type Identity, type Ports, type Result, Session } from "../../src/proto/session.ts";
import { runLater } from "../../src/proto/steps.ts";
import { MemoryStore, scopeKey } from "../../src/proto/store.ts";

export interface Counted {
  up: Record<string, number>;
  down: Record<string, number>;
  upBytes: number;
  downBytes: number;
}
export interface SyncOutcome extends Counted {
  /** plain messages that went up */
  sent: Uint8Array[];
  result: Result | undefined;
  events: Event[];
  closed: number;
}
const nameOfType = (nr: number) => Object.entries(TYPES).find(([, v]) => v === nr)?.[0] ?? "?";

function keyOfPoint(point: Uint8Array): KeyObject {
  const b64 = (p: Uint8Array) => Buffer.from(p).toString("base64url");
  return createPublicKey({
    key: { kty: "EC", crv: "P-256", x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)) },
    format: "jwk",
  });
}

export class Tablet {
  private keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly schemas = new Schemas();
  readonly url: string;
  identity!: Identity;
  store!: MemoryStore;
  /** added to the clock, milliseconds */
  clockMs = 0;
  private serverKey!: KeyObject;

  constructor(port: number) {
    this.url = `ws://127.0.0.1:${port}/sync`;
  }
  /** The same device, with a server that listens elsewhere now, or with a copy of its store. */
  moved(port: number, store = this.store): Tablet {
    const t = new Tablet(port);
    Object.assign(t, {
      keys: this.keys,
      serverKey: this.serverKey,
      identity: this.identity,
      schemas: this.schemas,
      store,
    });
    return t;
  }
  now = () => Date.now() + this.clockMs;

  async enrol(code: string, name: string): Promise<Result | undefined> {
    const enrolment = new Enrolment();
    const ws = new WebSocket(this.url, SUBPROTOCOL, { perMessageDeflate: false });
    const jwk = this.keys.publicKey.export({ format: "jwk" });
    const point = Buffer.concat([
      Buffer.of(4),
      Buffer.from(jwk.x!, "base64url"),
      Buffer.from(jwk.y!, "base64url"),
    ]);
    await new Promise<void>((resolve, reject) => {
      ws.on("error", reject);
      ws.on("close", () => resolve());
      ws.on("open", () => ws.send(enrolment.start(code, point, name)));
      ws.on("message", (frame: Buffer) => {
        enrolment.receive(new Uint8Array(frame));
        ws.close(1000);
      });
    });
    const e = enrolment.enrolled;
    if (!e) return enrolment.result;
    this.identity = {
      device: e.device,
      organisation: e.organisation,
      serverName: "127.0.0.1",
      serverKey: e.serverKey,
    };
    this.serverKey = keyOfPoint(e.serverKey);
    this.freshStore();
    this.store.apply([
      { to: "server", server: e.server },
      ...e.scopes.map((s) => ({ to: "key" as const, of: scopeKey(s.scope), key: s.key })),
    ]);
    return undefined;
  }
  freshStore(writer = hex(randomBytes(16))): void {
    this.store = new MemoryStore(
      writer,
      this.identity.device,
      chainStart(this.identity.organisation, writer),
    );
  }
  ports(): Ports {
    return {
      store: this.store,
      sign: (p) =>
        Promise.resolve(
          new Uint8Array(sign("sha256", p, { key: this.keys.privateKey, dsaEncoding: "ieee-p1363" })),
        ),
      verify: (p, s) =>
        Promise.resolve(verify("sha256", p, { key: this.serverKey, dsaEncoding: "ieee-p1363" }, s)),
      random: (n) => new Uint8Array(randomBytes(n)),
      windowedKinds: () => this.schemas.windowedKinds(),
    };
  }

  /** One connection. until: closes it when this holds after a step; else it ends as the session says. */
  async sync(
    options: {
      live?: boolean;
      frameBytes?: number;
      cutAfter?: number;
      tamper?: (plain: Uint8Array) => void;
      until?: (s: Session, events: Event[]) => boolean;
      onSession?: (s: LiveSession) => void;
    } = {},
  ): Promise<SyncOutcome> {
    const session = new Session(this.identity, this.ports(), {
      live: options.live ?? false,
      credit: 0,
      frameBytes: options.frameBytes ?? 0,
    });
    const out: SyncOutcome = {
      up: {},
      down: {},
      sent: [],
      upBytes: 0,
      downBytes: 0,
      result: undefined,
      events: [],
      closed: 0,
    };
    const ws = new WebSocket(this.url, SUBPROTOCOL, { perMessageDeflate: false });
    let queue = Promise.resolve();
    let received = 0;
    const flush = () => {
      for (const frame of session.take()) {
        count(out, "up", frame);
        out.sent.push(unpackFrame(frame));
        if (ws.readyState === WebSocket.OPEN) ws.send(frame);
      }
      const fresh = session.events();
      out.events.push(...fresh);
      if (fresh.some((e) => e.is === "received")) this.learn();
      if (options.until?.(session, out.events)) session.stop();
      for (const frame of session.take()) if (ws.readyState === WebSocket.OPEN) ws.send(frame);
      if (session.result && ws.readyState === WebSocket.OPEN) ws.close(session.result.close);
    };
    const step = (make: () => Generator<unknown, void, unknown>): Promise<void> =>
      (queue = queue.then(() => runLater(make())).then(flush));
    await new Promise<void>((resolve, reject) => {
      const failed = (e: unknown) => {
        ws.terminate();
        reject(e);
      };
      ws.on("error", failed);
      ws.on("open", () => {
        step(() => session.start(this.now())).catch(failed);
        options.onSession?.({ changed: () => step(() => session.changed()), session, ws });
      });
      ws.on("message", (data: Buffer) => {
        let frame = new Uint8Array(data);
        if (options.tamper) {
          const plain = Uint8Array.from(unpackFrame(frame));
          options.tamper(plain);
          frame = packFrame(plain) as Uint8Array<ArrayBuffer>;
        }
        count(out, "down", frame);
        if (options.cutAfter !== undefined && ++received > options.cutAfter) return ws.terminate();
        step(() => session.receive(frame, this.now())).catch(failed);
      });
      ws.on("close", (code) => {
        out.closed = code;
        queue.then(resolve, reject);
      });
    });
    out.result = session.result;
    return out;
  }
  private learn(): void {
    for (const p of this.store.allParts())
      if (p.record.kind === KIND.SCHEMA) this.schemas.addRecord(p.record);
  }

  // -- what a carer does --------------------------------------------------------------------------------

  view(name: Name): Rec | null {
    return overlay(this.store.part(name)?.record ?? null, this.store.onTop(name), this.store.clockOffset());
  }
  all(kind: number): Rec[] {
    const names = new Set(this.store.allParts().map((p) => p.record.name));
    const { writer, seq } = this.store.log();
    for (const e of this.store.entries(writer, 1, seq, Number.MAX_SAFE_INTEGER))
      if (e.onTop && e.op.form === "whole") names.add(e.op.record ?? e.op.name);
    return [...names].map((n) => this.view(n)!).filter((r) => r?.kind === kind);
  }
  write(op: {
    kind: number;
    scope: number;
    record?: Name;
    participant?: Name | null;
    author?: Name | null;
    fields: Field[];
    time?: number;
    replaces?: Name[];
  }): Name {
    const seen = op.record ? this.view(op.record) : null;
    const replaces =
      op.replaces ??
      [
        ...new Set(
          seen
            ? op.fields.flatMap((f) =>
                f.id === FIELD_RETRACTED ? replacesAll(seen) : replacesFor(seen, f.id),
              )
            : [],
        ),
      ].sort();
    const draft = {
      scope: op.scope,
      record: op.record ?? null,
      kind: op.kind,
      version: 1,
      participant: op.participant ?? null,
      author: op.author ?? null,
      time: op.time ?? Math.floor(this.now() / 1000),
      fields: op.fields,
      replaces,
    };
    const owner = keyOwner({ form: "whole", name: makeName(this.store.log().writer, 1, ZERO_TAG), ...draft });
    const key =
      owner.of === "zero"
        ? new Uint8Array(32)
        : this.store.key(
            owner.of === "participant" ? owner.participant : scopeKey(owner.of === "team" ? owner.scope : 1),
          );
    if (!key) throw new Error("no commit key");
    const { entry, log } = appendOp(this.store.log(), draft, key);
    this.store.append(entry, log);
    return entry.op.name;
  }
}

export interface LiveSession {
  changed(): Promise<void>;
  session: Session;
  ws: WebSocket;
}

function count(c: Counted, way: "up" | "down", frame: Uint8Array): void {
  const plain = unpackFrame(frame);
  const type = nameOfType(plain[1]);
  const table = way === "up" ? c.up : c.down;
  table[type] = (table[type] ?? 0) + frame.length;
  if (way === "up") c.upBytes += frame.length;
  else c.downBytes += frame.length;
}
