// Messages in the notation of the vectors.
import { hex, unhex } from "../../src/proto/bytes.ts";
import { errorNumber, errorOfNumber } from "../../src/proto/error.ts";
import { type MsgName, TYPES } from "../../src/proto/generated.ts";
import type { Cursor, Msg, Tip } from "../../src/proto/messages.ts";
import { nameText, parseName } from "../../src/proto/name.ts";
import { recordJson } from "./records.ts";
import type { Json } from "./vectors.ts";

const OWN = ["same", "tips", "ladder"];
const STATES = ["continue", "refetch", "new", "gone"];
const tipsJson = (list: Tip[]) => list.map((t) => ({ seq: t.seq, head: hex(t.head) }));
const tipsOf = (list: Json[]): Tip[] => list.map((t) => ({ seq: t.seq, head: unhex(t.head) }));
const orNull = <A, B>(v: A | null, f: (v: A) => B): B | null => (v === null ? null : f(v));
const errorText = (nr: number) => (nr === 0 ? "ok" : (errorOfNumber(nr) ?? "unknown"));
const errorNr = (slug: string) =>
  slug === "ok" ? 0 : errorNumber(slug as Parameters<typeof errorNumber>[0]);

export const typeName = (nr: number) => (Object.keys(TYPES) as MsgName[]).find((k) => TYPES[k] === nr)!;

export function messageJson(m: Msg): Json {
  switch (m.type) {
    case "ENROL":
      return {
        version_min: m.versionMin,
        version_max: m.versionMax,
        code: m.code,
        public_key: hex(m.publicKey),
        device_name: m.deviceName,
      };
    case "ENROLLED":
      return {
        version: m.version,
        device: m.device,
        organisation: m.organisation,
        server: m.server,
        server_key: hex(m.serverKey),
        device_record: nameText(m.deviceRecord),
        scopes: m.scopes.map((s) => ({ scope: s.scope, commit_key: hex(s.key) })),
        time_ms: m.timeMs,
        zone: m.zone,
        pin: orNull(m.pin, hex),
      };
    case "HELLO":
      return {
        version_min: m.versionMin,
        version_max: m.versionMax,
        device: m.device,
        writer: m.writer,
        own_seq: m.ownSeq,
        own_head: hex(m.ownHead),
        server: m.server,
        cursors: m.cursors.map((c) => ({ scope: c.scope, pos: c.pos, hash: hex(c.hash) })),
        time_ms: m.timeMs,
        nonce: hex(m.nonce),
        live: (m.flags & 1) === 1,
        push_follows: (m.flags & 2) === 2,
        closed: (m.flags & 4) === 4,
        credit: m.credit,
        frame_bytes: m.frameBytes,
        signature: hex(m.signature),
      };
    case "WELCOME":
      return {
        version: m.version,
        server: m.server,
        time_ms: m.timeMs,
        own: OWN[m.own],
        safe_up_to: m.safeUpTo,
        scopes: m.scopes.map((s) => ({ scope: s.scope, state: STATES[s.state] })),
        frame_bytes: m.frameBytes,
        credit: m.credit,
        retry_s: m.retryS,
        tips: tipsJson(m.tips),
        ladder: tipsJson(m.ladder),
        strict: m.strict === 1,
        share: m.share && hex(m.share),
      };
    case "CHALLENGE":
      return { nonce: hex(m.nonce), time_ms: m.timeMs };
    case "PROOF":
      return { signature: hex(m.signature) };
    case "PUSH":
      return {
        first_seq: m.firstSeq,
        more: m.more,
        rows: hex(m.rows),
        signature: hex(m.signature),
        prev: orNull(m.prev, hex),
        keys: m.keys.map((k) => ({ of: nameText(k.of), commit_key: hex(k.key) })),
      };
    case "ACK":
      return {
        up_to: m.upTo,
        head: hex(m.head),
        safe_up_to: m.safeUpTo,
        receipts: m.receipts.map((r) => ({ up_to: r.upTo, server_time_ms: r.timeMs, offset_ms: r.offsetMs })),
        held: m.held,
        refused: orNull(m.refused, (r) => ({ seq: r.seq, error: errorText(r.error) })),
        signature: hex(m.signature),
      };
    case "DELTA":
      return {
        scope: m.scope,
        from: m.from,
        to: m.to,
        hash: hex(m.hash),
        time: m.time,
        more: m.more,
        records: m.records.map((r) => ({ changed: r.changed, record: recordJson(r.record) })),
        gone: m.gone.map(nameText),
      };
    case "ACKED":
      return { cursors: m.cursors };
    case "BYE":
      return { reason: errorText(m.reason), retry_s: m.retryS };
    case "ERROR":
      return {
        error: errorText(m.error),
        seq: m.seq,
        retry_s: m.retryS,
        text: m.text,
        tips: tipsJson(m.tips),
        ladder: tipsJson(m.ladder),
        names: m.names.map(nameText),
      };
    default:
      return {};
  }
}

/** All but DELTA, which a client never sends. */
export function messageOf(type: MsgName, j: Json): Exclude<Msg, { type: "DELTA" }> {
  const common = {
    versionMin: j.version_min,
    versionMax: j.version_max,
    timeMs: j.time_ms,
    retryS: j.retry_s,
    safeUpTo: j.safe_up_to,
  };
  const all: Json = { type, ...common };
  if (type === "ENROL")
    Object.assign(all, { code: j.code, publicKey: unhex(j.public_key), deviceName: j.device_name });
  if (type === "ENROLLED")
    Object.assign(all, j, {
      serverKey: unhex(j.server_key),
      deviceRecord: parseName(j.device_record),
      scopes: j.scopes.map((s: Json) => ({ scope: s.scope, key: unhex(s.commit_key) })),
      pin: orNull(j.pin, unhex),
    });
  if (type === "HELLO")
    Object.assign(all, j, {
      ownSeq: j.own_seq,
      ownHead: unhex(j.own_head),
      cursors: j.cursors.map((c: Json): Cursor => ({ scope: c.scope, pos: c.pos, hash: unhex(c.hash) })),
      nonce: unhex(j.nonce),
      flags: (j.live ? 1 : 0) + (j.push_follows ? 2 : 0) + (j.closed ? 4 : 0),
      frameBytes: j.frame_bytes,
      signature: unhex(j.signature),
    });
  if (type === "WELCOME")
    Object.assign(all, j, {
      own: OWN.indexOf(j.own),
      scopes: j.scopes.map((s: Json) => ({ scope: s.scope, state: STATES.indexOf(s.state) })),
      frameBytes: j.frame_bytes,
      tips: tipsOf(j.tips),
      ladder: tipsOf(j.ladder),
      strict: j.strict ? 1 : 0,
      share: orNull(j.share, unhex),
    });
  if (type === "CHALLENGE") Object.assign(all, { nonce: unhex(j.nonce) });
  if (type === "PROOF") Object.assign(all, { signature: unhex(j.signature) });
  if (type === "PUSH")
    Object.assign(all, {
      firstSeq: j.first_seq,
      more: j.more,
      rows: unhex(j.rows),
      signature: unhex(j.signature),
      prev: orNull(j.prev, unhex),
      keys: j.keys.map((k: Json) => ({ of: parseName(k.of), key: unhex(k.commit_key) })),
    });
  if (type === "ACK")
    Object.assign(all, {
      upTo: j.up_to,
      head: unhex(j.head),
      receipts: j.receipts.map((r: Json) => ({
        upTo: r.up_to,
        timeMs: r.server_time_ms,
        offsetMs: r.offset_ms,
      })),
      held: j.held,
      refused: orNull(j.refused, (r: Json) => ({ seq: r.seq, error: errorNr(r.error) })),
      signature: unhex(j.signature),
    });
  if (type === "ACKED") Object.assign(all, { cursors: j.cursors });
  if (type === "BYE") Object.assign(all, { reason: errorNr(j.reason) });
  if (type === "ERROR")
    Object.assign(all, {
      error: errorNr(j.error),
      seq: j.seq,
      text: j.text,
      tips: tipsOf(j.tips),
      ladder: tipsOf(j.ladder),
      names: j.names.map(parseName),
    });
  return all;
}
