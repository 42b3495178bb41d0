import assert from "node:assert/strict";
import test from "node:test";
import { hex, unhex } from "../src/proto/bytes.ts";
import { chainOp, chainSalt, chainStart, keyOwner } from "../src/proto/chain.ts";
import { Reader, Writer, prescan } from "../src/proto/mp.ts";
import {
  ZERO_TAG,
  compareNames,
  nameText,
  parseName,
  seqOf,
  tagOf,
  withTag,
  writerOf,
} from "../src/proto/name.ts";
import { decodeHeader, decodePayload, encodeHeader, encodePayload, opProblem } from "../src/proto/op.ts";
import { sha256 } from "../src/proto/chain.ts";
import { readValue, writeValue } from "../src/proto/value.ts";
import { jsonOf, opJson, opOf, valueOf, vectors } from "./lib/vectors.ts";

test("values: bytes and back", () => {
  for (const v of vectors("values")) {
    const w = new Writer();
    writeValue(w, valueOf(v.value));
    assert.equal(hex(w.take()), v.hex, v.name);
    const r = new Reader(unhex(v.hex));
    assert.deepEqual(jsonOf(readValue(r)), v.value, v.name);
    r.done();
  }
});

test("names: text, bytes and order", () => {
  const all = vectors("names");
  for (const v of all) {
    const n = parseName(v.text);
    assert.equal(n, v.hex);
    assert.equal(nameText(n), v.text);
    assert.deepEqual([writerOf(n), seqOf(n), tagOf(n)], [v.writer, v.seq, v.tag]);
  }
  const names = all.map((v) => v.hex);
  assert.deepEqual([...names].reverse().sort(compareNames), names);
  for (const bad of ["", "x", `${"1".repeat(32)}-0-00000000`, `${"1".repeat(32)}-9007199254740992-00000000`])
    assert.throws(() => parseName(bad));
});

test("ops: header and payload, and back", () => {
  for (const v of vectors("ops")) {
    const op = opOf(v.op);
    assert.equal(op.form, "whole", v.name);
    if (op.form !== "whole") continue;
    assert.equal(opProblem(op), undefined, v.name);
    assert.equal(hex(encodeHeader(op)), v.header, v.name);
    assert.equal(hex(sha256(unhex(v.header))), v.header_hash, v.name);
    assert.equal(hex(encodePayload(op)), v.payload, v.name);
    const back = {
      form: "whole" as const,
      name: op.name,
      ...decodeHeader(unhex(v.header)),
      ...decodePayload(unhex(v.payload)),
    };
    assert.deepEqual(opJson(back), v.op, v.name);
  }
});

for (const v of vectors("chains"))
  test(`chain: ${v.name}`, () => {
    let head = chainStart(v.organisation, v.writer);
    assert.equal(hex(head), v.head_0);
    for (const o of v.ops) {
      const op = opOf(o.op);
      op.name = withTag(op.name, ZERO_TAG);
      const key = o.commit_key ? unhex(o.commit_key) : null;
      if (key) assert.equal(hex(chainSalt(key, v.writer, seqOf(op.name))), o.salt);
      const link = chainOp(op, key, head);
      assert.deepEqual(
        [hex(link.headerHash), hex(link.commitment), hex(link.head), nameText(op.name)],
        [o.header_hash, o.commitment, o.head, o.op.name],
      );
      head = link.head;
      if (op.form === "void") continue;
      const owner = keyOwner(op);
      assert.deepEqual(
        owner.of === "participant" ? { ...owner, participant: nameText(owner.participant) } : owner,
        o.covered_by,
      );
    }
  });

test("a chain without a key is refused and changes nothing", () => {
  const op = opOf(vectors("ops")[0].op);
  const before = op.name;
  assert.throws(() => chainOp(op, null, new Uint8Array(32)), { slug: "no_key" });
  assert.equal(op.name, before);
});

test("the scan: 9 containers inside one another, 65,537 objects, and what claims more than is there", () => {
  assert.equal(prescan(unhex("9191919191919190")), undefined);
  assert.equal(prescan(unhex("919191919191919190")), "format");
  const many = new Uint8Array(65536);
  many.set(unhex("dcffff")); // 65,535 elements and the array make 65,536 objects
  assert.equal(prescan(many.subarray(0, 3 + 65533)), "format");
  const full = new Uint8Array(3 + 65535);
  full.set(unhex("dcffff"));
  assert.equal(prescan(full), undefined);
  const over = new Uint8Array(5 + 65536);
  over.set(unhex("dd00010000"));
  assert.equal(prescan(over), "limit");
});

test("a reader keeps its first error and gives zero from then on", () => {
  const r = new Reader(unhex("93c001a161"));
  assert.equal(r.array(), 3);
  assert.equal(r.int(), 0);
  assert.equal(r.err, "format");
  r.fail("limit");
  assert.deepEqual(
    [r.peek(), r.int(), r.str(), r.bin().length, r.array(), r.nil()],
    ["end", 0, "", 0, 0, false],
  );
  assert.throws(() => r.done(), { slug: "format" });
});
