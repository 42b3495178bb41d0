import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import test from "node:test";
import { hex, unhex } from "../src/proto/bytes.ts";
import { sha256, signedAck, signedHello, signedProof, signedPush } from "../src/proto/chain.ts";
import { OvError } from "../src/proto/error.ts";
import { packFrame, unpackFrame } from "../src/proto/frame.ts";
import { ERRORS } from "../src/proto/generated.ts";
import { bodyOf, decodeMessage, encodeMessage, withSignature } from "../src/proto/msg.ts";
import { decodeHeader, decodePayload } from "../src/proto/op.ts";
import { decodeRows } from "../src/proto/rows.ts";
import { messageJson, messageOf, typeName } from "./lib/messages.ts";
import { type Json, vectors } from "./lib/vectors.ts";

const SERVER = "505152535455565758595a5b5c5d5e5f";

for (const v of vectors("messages")) {
  test(`message: ${v.name}: read`, () => {
    const m = decodeMessage(unhex(v.plain), SERVER);
    assert.equal(m.type, typeName(v.type));
    assert.deepEqual(messageJson(m), v.fields);
  });
  if (typeName(v.type) !== "DELTA")
    test(`message: ${v.name}: written`, () =>
      assert.equal(hex(encodeMessage(messageOf(typeName(v.type), v.fields) as never)), v.plain));
  test(`message: ${v.name}: as a frame`, () => {
    assert.equal(hex(unpackFrame(unhex(v.frame))), v.plain);
    const mine = packFrame(unhex(v.plain));
    assert.equal(hex(unpackFrame(mine)), v.plain);
    assert.ok(
      mine.length <= v.frame.length / 2 + 2,
      `${mine.length} bytes, the vector's ${v.frame.length / 2}`,
    );
  });
  test(`message: ${v.name}: cut short it is refused`, () => {
    const plain = unhex(v.plain);
    for (let n = 0; n < plain.length; n++)
      assert.throws(() => decodeMessage(plain.subarray(0, n), SERVER), { slug: "format" });
    const frame = unhex(v.frame);
    for (let n = 0; n < frame.length; n++) {
      const cut = frame.subarray(0, n);
      if (n && frame[0] === 0) assert.equal(unpackFrame(cut).length, n - 1);
      else assert.throws(() => unpackFrame(cut), OvError);
    }
    if (frame[0] === 1) assert.throws(() => unpackFrame(unhex(`${v.frame}00`)), { slug: "format" });
  });
}

test("HELLO and ACK: the body that is signed, and the signature put in its place", () => {
  for (const v of vectors("messages").filter((m) => [3, 8].includes(m.type))) {
    const plain = unhex(v.plain);
    const blank = encodeMessage({
      ...messageOf(typeName(v.type), v.fields),
      signature: new Uint8Array(64),
    } as never);
    assert.equal(hex(withSignature(blank, unhex(v.fields.signature))), v.plain);
    assert.equal(hex(bodyOf(blank)), hex(bodyOf(plain)));
  }
});

function publicKey(point: string) {
  const p = Buffer.from(point, "hex");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: p.subarray(1, 33).toString("base64url"),
    y: p.subarray(33).toString("base64url"),
  };
  return createPublicKey({ key: jwk, format: "jwk" });
}

function signedBytes(v: Json): Uint8Array {
  const p = v.parts;
  if (v.name.startsWith("hello")) return signedHello(p.server_name, unhex(p.body));
  if (v.name === "proof") return signedProof(p.server_name, unhex(p.nonce), unhex(p.hello_body_hash));
  if (v.name === "push") return signedPush(p.organisation, p.device, p.writer, p.seq, unhex(p.head));
  return signedAck(p.server, p.organisation, p.writer, unhex(p.body));
}

for (const v of vectors("signatures"))
  test(`signature: ${v.name}`, () => {
    const bytes = signedBytes(v);
    assert.equal(hex(bytes), v.signed);
    const key = { key: publicKey(v.public_key), dsaEncoding: "ieee-p1363" as const };
    assert.ok(verify("sha256", bytes, key, unhex(v.signature)));
    bytes[bytes.length - 1] ^= 1;
    assert.ok(!verify("sha256", bytes, key, unhex(v.signature)));
  });

const refuse: Record<string, (p: Uint8Array) => unknown> = {
  message: (p) => decodeMessage(p, SERVER),
  frame: (p) => decodeMessage(unpackFrame(p), SERVER),
  header: decodeHeader,
  payload: decodePayload,
  rows: (p) => decodeRows({ named: true, writer: SERVER, server: SERVER, firstSeq: 0, baseTime: 0 }, p),
};
for (const v of vectors("refused"))
  test(`refused ${v.what}: ${v.name}`, () => {
    assert.throws(() => refuse[v.what](unhex(v.hex)), { slug: v.error });
    assert.ok(v.error in ERRORS);
  });

test("a bomb is refused at the limit, without growing to its size", () => {
  const bomb = packFrame(new Uint8Array(65536));
  assert.ok(bomb.length < 200);
  assert.equal(unpackFrame(bomb).length, 65536);
  assert.throws(() => unpackFrame(bomb, 65535), { slug: "limit" });
});

test("hashes are those of another library", () => {
  for (let n = 0; n < 300; n += 7) {
    const p = Uint8Array.from({ length: n }, (_, i) => (i * 31) & 255);
    assert.equal(hex(sha256(p)), createHash("sha256").update(p).digest("hex"));
  }
});
