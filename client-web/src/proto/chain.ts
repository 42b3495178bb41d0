// The hash chain of a log, commitments, commit keys, and the byte strings that are signed (PROTOCOL.md
// sections 7 and 8).
import { hmac } from "@noble/hashes/hmac";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2";
import { Buf, concat, utf8 } from "./bytes.ts";
import { fail } from "./error.ts";
import { type HeaderOp, KIND, type Op, encodeHeader, encodePayload, recordOf } from "./op.ts";
import {
  type Id,
  KEY_BYTES,
  type Name,
  idBytes,
  seqBytes,
  seqOf,
  tagOfHead,
  withTag,
  writerOf,
} from "./name.ts";

export const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  nobleSha256(parts.length === 1 ? parts[0] : concat(...parts));
const hmacSha256 = (key: Uint8Array, p: Uint8Array): Uint8Array => hmac(nobleSha256, key, p);

export const ZERO_KEY = new Uint8Array(KEY_BYTES);

/** head(0) */
export const chainStart = (organisation: Id, writer: Id): Uint8Array =>
  sha256(utf8("overdracht 1"), idBytes(organisation), idBytes(writer));

export const chainSalt = (commitKey: Uint8Array, writer: Id, seq: number): Uint8Array =>
  hmacSha256(commitKey, concat(utf8("overdracht salt 1"), idBytes(writer), seqBytes(seq)));

export const commitmentOf = (
  commitKey: Uint8Array,
  writer: Id,
  seq: number,
  payload: Uint8Array,
): Uint8Array => hmacSha256(chainSalt(commitKey, writer, seq), payload);

/** head(n) from head(n − 1) */
export const chainStep = (
  head: Uint8Array,
  seq: number,
  headerHash: Uint8Array,
  commitment: Uint8Array,
): Uint8Array => sha256(head, seqBytes(seq), headerHash, commitment);

export interface Link {
  headerHash: Uint8Array;
  commitment: Uint8Array;
  head: Uint8Array;
}

/** Chains an op after `head` and gives it its tag. The key may be missing only if the commitment is known.
 *  */
export function chainOp(op: Op, key: Uint8Array | null, head: Uint8Array): Link {
  const seq = seqOf(op.name);
  const headerHash = op.form === "void" ? op.headerHash : sha256(encodeHeader(op));
  const commitment =
    op.form === "void" || op.form === "absent" ? op.commitment : payloadCommitment(op, key, seq);
  const next = chainStep(head, seq, headerHash, commitment);
  op.name = withTag(op.name, tagOfHead(next));
  return { headerHash, commitment, head: next };
}

function payloadCommitment(
  op: Extract<Op, { form: "whole" | "verbatim" }>,
  key: Uint8Array | null,
  seq: number,
): Uint8Array {
  if (!key) fail("no_key");
  return commitmentOf(key, writerOf(op.name), seq, op.form === "whole" ? encodePayload(op) : op.payload);
}

export type KeyOwner =
  | { of: "zero" }
  | { of: "participant"; participant: Name }
  | { of: "organisation" }
  | { of: "team"; scope: number };

/** Which commit key covers an op (PROTO-31). */
export function keyOwner(op: HeaderOp): KeyOwner {
  const carriesKey = op.kind === KIND.ORGANISATION || op.kind === KIND.TEAM || op.kind === KIND.PARTICIPANT;
  if (op.record === null && carriesKey) return { of: "zero" };
  if (op.kind === KIND.PARTICIPANT) return { of: "participant", participant: recordOf(op) };
  if (op.participant !== null) return { of: "participant", participant: op.participant };
  return op.scope <= 1 ? { of: "organisation" } : { of: "team", scope: op.scope };
}

function signed(label: string): Buf {
  const b = new Buf();
  b.bytes(utf8(label));
  b.byte(0);
  return b;
}
function withServerName(b: Buf, name: string): void {
  const p = utf8(name);
  b.varint(p.length);
  b.bytes(p);
}

export function signedHello(serverName: string, body: Uint8Array): Uint8Array {
  const b = signed("overdracht hello 1");
  withServerName(b, serverName);
  b.bytes(body);
  return b.take();
}
export function signedProof(serverName: string, nonce: Uint8Array, helloBodyHash: Uint8Array): Uint8Array {
  const b = signed("overdracht proof 1");
  withServerName(b, serverName);
  b.bytes(nonce);
  b.bytes(helloBodyHash);
  return b.take();
}
export function signedPush(
  organisation: Id,
  device: Id,
  writer: Id,
  seq: number,
  head: Uint8Array,
): Uint8Array {
  const b = signed("overdracht push 1");
  for (const id of [organisation, device, writer]) b.bytes(idBytes(id));
  b.bytes(seqBytes(seq));
  b.bytes(head);
  return b.take();
}
export function signedAck(server: Id, organisation: Id, writer: Id, body: Uint8Array): Uint8Array {
  const b = signed("overdracht ack 1");
  for (const id of [server, organisation, writer]) b.bytes(idBytes(id));
  b.bytes(body);
  return b.take();
}
