// The session against a scripted server: what a real one does seldom, or never. All ports answer at once.
import assert from "node:assert/strict";
import test from "node:test";
import { hex } from "../src/proto/bytes.ts";
import { chainStart } from "../src/proto/chain.ts";
import { packFrame, unpackFrame } from "../src/proto/frame.ts";
import { ERRORS, LIMITS } from "../src/proto/generated.ts";
import { overlay } from "../src/proto/log.ts";
import { type Msg, SCOPE_STATE } from "../src/proto/messages.ts";
import { decodeMessage, encodeMessage } from "../src/proto/msg.ts";
import { ZERO_ID, makeName } from "../src/proto/name.ts";
import { KIND } from "../src/proto/op.ts";
import { encodeRecord, shown } from "../src/proto/record.ts";
import { decodeRows } from "../src/proto/rows.ts";
import { runNow } from "../src/proto/steps.ts";
import { Random } from "./lib/random.ts";
import { ID, NOW, SERVER, Story, WRITER, participant, record } from "./lib/story.ts";

test("what was acknowledged and does not come is absorbed at SYNCED, with its verdict and times", () => {
  const s = new Story();
  const [a, b] = [s.write(4), s.write(77)];
  s.greet().welcome();
  assert.deepEqual(
    s.pushes().map((p) => s.seqs(p)),
    [[1, 2]],
  );
  s.ack(2, { held: [{ seq: 2, reason: 3 }] });
  assert.equal(s.store.onTop(a).length, 1);
  s.delta(0, 5, []).synced();
  assert.deepEqual(
    s.sent.map((m) => m.type),
    ["ACKED"],
  );
  assert.equal(s.store.onTop(a).length, 0);
  assert.equal(shown(s.store.part(a)!.record, 19), 4);
  assert.deepEqual(s.store.part(b)!.record.held, [{ name: b, verdict: 2, reason: 3 }]);
  assert.equal(s.store.part(a)!.changed, Math.floor((NOW + 500) / 1000));
  assert.deepEqual(s.session.result, { error: 0, close: 1000, retryS: 0, synced: true, more: false });
});

test("PROTO-128: what is for servers only does not stay once it is told", () => {
  const s = new Story();
  const who = participant(9, 2);
  s.store.apply([{ to: "key", of: who.name, key: new Uint8Array(32).fill(9) }]);
  s.greet().welcome().delta(0, 1, [who]).synced();
  const look = s.write(1, null, [], who.name, KIND.LOOK);
  s.greet().welcome();
  assert.equal(s.pushes().length, 1);
  s.ack(1).synced();
  assert.equal(s.store.onTop(look).length, 0);
  assert.equal(s.store.part(look), undefined);
});

/** An entry about a participant of these teams, who then leaves or stays, and an edit of it, acknowledged and
 * absorbed: the scope in which its record is, and what it shows. */
function absorbedAbout(teams: number[], leaves: boolean): [number, unknown] | null {
  const s = new Story();
  const who = participant(9, ...teams);
  const home = teams.includes(3) ? 3 : 2;
  s.store.apply([{ to: "key", of: who.name, key: new Uint8Array(32).fill(9) }]);
  s.greet()
    .welcome()
    .delta(0, 1, [], { scope: 5 - home })
    .delta(0, 1, [who], { scope: home })
    .synced();
  const a = s.write(4, null, [], who.name);
  s.write(5, a, [a], who.name);
  s.greet().welcome();
  assert.equal(s.pushes().length, 1);
  s.ack(2);
  if (leaves) s.delta(1, 2, [], { scope: home, gone: [who.name] });
  s.synced();
  assert.equal(s.store.onTop(a).length, 0);
  const part = s.store.part(a);
  return part ? [part.scope, shown(part.record, 19)] : null;
}

test("PROTO-128: what is absorbed lies where its participant does, and nowhere when they have left", () => {
  assert.deepEqual(absorbedAbout([2], false), [2, 5]);
  assert.deepEqual(absorbedAbout([3], false), [3, 5]);
  assert.deepEqual(absorbedAbout([7, 3], false), [3, 5]);
  assert.deepEqual(absorbedAbout([], false), [2, 5]);
  assert.equal(absorbedAbout([2], true), null);
});

test("an edit of a record that is not here is absorbed without making one of it", () => {
  const s = new Story();
  const other = record(1, 1).name;
  s.write(5, other, [other]);
  s.greet().welcome();
  assert.equal(s.pushes().length, 1);
  s.ack(1).synced();
  assert.equal(s.store.onTop(other).length, 0);
  assert.equal(s.store.part(other), undefined);
});

test("a record that comes after the ACK carries the own ops; one that comes before does not", () => {
  const s = new Story();
  const a = s.write(4);
  s.greet(true).welcome();
  s.delta(0, 1, [record(1, 1)]);
  s.ack(1);
  assert.equal(s.store.onTop(a).length, 1);
  const own = overlay(null, s.store.onTop(a), 0)!;
  s.delta(1, 2, [own]);
  assert.equal(s.store.onTop(a).length, 0);
  assert.equal(hex(encodeRecord(s.store.part(a)!.record)), hex(encodeRecord(own)));
});

test("a refetched scope is collected beside the old copy and swapped when it is complete", () => {
  const s = new Story();
  s.greet(true)
    .welcome()
    .delta(0, 3, [record(1, 1), record(2, 2)])
    .synced();
  s.greet(true).welcome({ scopes: [{ scope: 2, state: SCOPE_STATE.REFETCH }] });
  assert.deepEqual(
    s.hello!.cursors.map((c) => [c.scope, c.pos]),
    [[2, 3]],
  );
  s.delta(0, 1, [record(1, 9)], { more: true });
  assert.deepEqual(
    s.store.allParts().map((p) => shown(p.record, 19)),
    [1, 2],
    "the old copy is still shown",
  );
  s.delta(1, 2, []).synced();
  assert.deepEqual(
    s.store.allParts().map((p) => shown(p.record, 19)),
    [9],
  );
  assert.deepEqual(
    s.store.cursors().map((c) => c.pos),
    [2],
  );
});

test("a refetch cut in the middle leaves the old copy, and the cursor that belongs to it", () => {
  const s = new Story();
  s.greet(true)
    .welcome()
    .delta(0, 3, [record(1, 1)])
    .synced();
  s.greet(true)
    .welcome({ scopes: [{ scope: 2, state: SCOPE_STATE.REFETCH }] })
    .delta(0, 1, [record(2, 2)], { more: true });
  s.greet(true)
    .welcome({ scopes: [{ scope: 2, state: SCOPE_STATE.REFETCH }] })
    .delta(0, 2, [record(3, 3)])
    .synced();
  assert.deepEqual(
    s.store.allParts().map((p) => shown(p.record, 19)),
    [3],
  );
});

test("a scope that is gone is dropped with its records, and one refetched without anything is empty", () => {
  const s = new Story();
  s.greet(true)
    .welcome()
    .delta(0, 3, [record(1, 1)])
    .delta(0, 1, [record(2, 2)], { scope: 3 })
    .synced();
  s.greet(true)
    .welcome({
      scopes: [
        { scope: 2, state: SCOPE_STATE.GONE },
        { scope: 3, state: SCOPE_STATE.REFETCH },
      ],
    })
    .synced();
  assert.equal(s.store.allParts().length, 0);
  assert.deepEqual(s.store.cursors(), []);
});

test("another server: its cursors are all fetched anew, and it is named from then on", () => {
  const s = new Story();
  s.greet(true)
    .welcome()
    .delta(0, 3, [record(1, 1)])
    .synced();
  const other = "51".repeat(16);
  s.greet(true).welcome({ server: other, scopes: [{ scope: 2, state: SCOPE_STATE.REFETCH }] });
  s.greet(true);
  assert.equal(s.hello!.server, other);
});

test("a DELTA that does not begin where the client stands, or goes back, is `state`", () => {
  for (const [from, to] of [
    [1, 2],
    [0, 0],
    [5, 3],
  ]) {
    const s = new Story();
    s.greet().welcome().delta(from, to, []);
    const wrong = from !== 0 || to < from;
    assert.equal(s.session.result?.error, wrong ? ERRORS.state.nr : undefined, `${from} … ${to}`);
    if (wrong) assert.equal(s.sent.at(-1)?.type, "ERROR");
  }
});

test("credit is renewed when half of it is used", () => {
  const s = new Story();
  s.greet(true).welcome({ credit: 4 });
  for (let i = 0; i < 4; i++) s.delta(i, i + 1, []);
  const acked = s.sent.filter((m) => m.type === "ACKED") as Extract<Msg, { type: "ACKED" }>[];
  assert.deepEqual(
    acked.map((m) => m.cursors),
    [[{ scope: 2, pos: 2 }], [{ scope: 2, pos: 4 }]],
  );
});

test("what left the window leaves the store, by the server's time", () => {
  const s = new Story();
  s.greet(true)
    .welcome()
    .delta(0, 1, [record(1, 1)])
    .synced();
  s.greet(true).welcome({ timeMs: NOW + 29 * 86400_000 });
  assert.equal(s.store.allParts().length, 1);
  s.greet(true).welcome({ timeMs: NOW + 31 * 86400_000 });
  assert.equal(s.store.allParts().length, 0);
});

test("at most four PUSHes are without an answer, in frames of the size in force", () => {
  const s = new Story();
  for (let i = 0; i < 17000; i++) s.write((i * 7919) % 5000);
  s.greet(true).welcome();
  const first = s.pushes();
  assert.equal(first.length, LIMITS.PUSHES_UNANSWERED_MAX);
  for (const p of first)
    assert.ok(encodeMessage({ type: "PUSH", ...p }).length <= LIMITS.FRAME_BYTES_DEFAULT);
  assert.ok(first.every((p) => p.more && p.prev === null));
  let seq = s.seqs(first[0]).at(-1)!;
  s.ack(seq);
  const next = s.pushes();
  assert.equal(next.length, 1);
  assert.equal(next[0].firstSeq, s.seqs(first[3]).at(-1)! + 1);
  for (const p of [...first.slice(1), ...next]) s.ack((seq = s.seqs(p).at(-1)!));
  while (s.store.log().acked < 17000) s.ack(s.seqs(s.pushes()[0]).at(-1)!);
  assert.equal(s.store.log().acked, 17000);
});

test("a gap: the place is found on the ladder, and answers from before count for nothing", () => {
  const s = new Story();
  for (let i = 0; i < 6; i++) s.write(i);
  s.greet(true).welcome();
  s.pushes();
  s.ack(6);
  for (let i = 0; i < 3; i++) s.write(10 + i);
  runNow(s.session.changed());
  for (const frame of s.session.take()) s.sent.push(decodeMessage(unpackFrame(frame), ZERO_ID));
  assert.deepEqual(
    s.pushes().map((p) => p.firstSeq),
    [7],
  );
  const rung = (seq: number) => ({ seq, head: s.store.heads(WRITER, [seq])[0]!.subarray(0, 8) });
  s.error("gap", { seq: 7, ladder: [{ seq: 5, head: new Uint8Array(8) }, rung(4), rung(2)] });
  const [p] = s.pushes();
  assert.deepEqual([p.firstSeq, hex(p.prev!)], [5, hex(s.store.heads(WRITER, [4])[0]!)]);
  assert.equal(s.store.log().acked, 4, "only this much is on the server");
  s.ack(9);
  assert.equal(s.store.log().acked, 9);
});

test("a server that has nothing of the log gets all of it, from head 0", () => {
  const s = new Story();
  for (let i = 0; i < 3; i++) s.write(i);
  s.greet(true).welcome();
  s.pushes();
  s.ack(3);
  s.write(9);
  s.greet(true);
  assert.equal(s.hello!.ownSeq, 3);
  assert.deepEqual(
    s.pushes().map((p) => p.firstSeq),
    [4],
  );
  s.welcome({ own: 1 });
  const [p] = s.pushes();
  assert.deepEqual([p.firstSeq, hex(p.prev!)], [1, hex(chainStart(ID.organisation, WRITER))]);
  s.error("gap", { seq: 4 }); // the answer to the PUSH that was on its way
  assert.equal(s.pushes().length, 0);
  s.ack(4);
  assert.equal(s.store.log().acked, 4);
});

test("a server that never finds a place is not asked for ever", () => {
  const s = new Story();
  s.write(1);
  s.greet(true).welcome();
  let n = 0;
  while (s.pushes().length) {
    assert.ok(++n < 20);
    s.error("branch", { seq: 1 });
  }
  assert.ok(n > 1);
});

test("busy: nothing more is pushed, receiving goes on, the wait is said", () => {
  const s = new Story();
  s.write(1);
  s.greet().welcome();
  s.pushes();
  s.error("busy", { seq: 1, retryS: 40 })
    .delta(0, 1, [record(1, 1)])
    .synced();
  assert.deepEqual(s.session.result, { error: 0, close: 1000, retryS: 40, synced: false, more: false });
  assert.equal(s.store.log().acked, 0);
  assert.equal(s.store.allParts().length, 1);
});

test("need_keys: what is known is sent, once; what is not known waits for another day", () => {
  const s = new Story();
  s.write(1);
  s.greet(true).welcome();
  s.pushes();
  const team = makeName(ZERO_ID, 2, "00000000");
  s.error("need_keys", { seq: 1, names: [team, makeName("20".repeat(16), 7, "00000001")] });
  const [p] = s.pushes();
  assert.deepEqual(
    p.keys.map((k) => [k.of, hex(k.key)]),
    [[team, "02".repeat(32)]],
  );
  s.error("need_keys", { seq: 1, names: [team] });
  assert.equal(s.pushes().length, 0);
});

test("an op that is refused becomes a void; what was behind it follows", () => {
  const s = new Story();
  for (let i = 0; i < 3; i++) s.write(i);
  s.greet(true).welcome();
  s.pushes();
  s.ack(1, { refused: { seq: 2, error: ERRORS.op_limit.nr } });
  const [p] = s.pushes();
  const rows = decodeRows(
    { named: false, writer: WRITER, server: SERVER, firstSeq: 2, baseTime: NOW / 1000 },
    p.rows,
  );
  assert.deepEqual(
    rows.map((o) => o.form),
    ["void", "whole"],
  );
  assert.deepEqual(s.store.entries(WRITER, 2, 2, 1)[0].refused, ERRORS.op_limit.nr);
  s.ack(3).synced();
  assert.equal(s.store.log().acked, 3);
});

test("a void that is refused again stops the pushing, not the session", () => {
  const s = new Story();
  s.write(1);
  s.greet(true).welcome();
  for (let i = 0; i < 2; i++) s.ack(0, { receipts: [], refused: { seq: 1, error: ERRORS.op_format.nr } });
  assert.equal(s.session.result, undefined);
  assert.equal(s.store.log().acked, 0);
});

test("an ACK with another head, or of a seq that the log has not, ends with auth", () => {
  for (const [upTo, head] of [
    [1, new Uint8Array(32)],
    [2, new Uint8Array(32)],
  ] as const) {
    const s = new Story();
    s.write(1);
    s.greet().welcome().ack(upTo, { head });
    assert.equal(s.session.result?.error, ERRORS.auth.nr);
    assert.equal(s.store.log().acked, 0);
  }
});

test("an answer to nothing, a second WELCOME, text of an unknown error: each ends as the table says", () => {
  const cases: [(s: Story) => unknown, number][] = [
    [(s) => s.welcome().ack(0, { receipts: [] }), ERRORS.state.nr],
    [(s) => s.welcome().welcome(), ERRORS.state.nr],
    [(s) => s.synced(), ERRORS.state.nr],
    [(s) => s.welcome({ version: 2 }), ERRORS.version.nr],
    [(s) => s.welcome().say({ ...EMPTY_ERROR, error: 66 }), 66],
    [(s) => s.error("busy"), ERRORS.busy.nr],
    [(s) => s.error("foreign"), ERRORS.foreign.nr],
    [(s) => s.welcome().say({ type: "BYE", reason: ERRORS.shutdown.nr, retryS: 9 }), ERRORS.shutdown.nr],
    [(s) => s.frame(new Uint8Array(0)), ERRORS.format.nr],
    [(s) => s.frame(new Uint8Array(70000)), ERRORS.limit.nr],
  ];
  cases.forEach(([play, error], i) => {
    const s = new Story();
    play(s.greet());
    assert.equal(s.session.result?.error, error, `case ${i}`);
  });
});
const EMPTY_ERROR = { type: "ERROR", seq: 0, retryS: 0, text: "", tips: [], ladder: [], names: [] };

test("revoked: what was received is purged, what was not sent stays", () => {
  const s = new Story();
  s.greet(true)
    .welcome()
    .delta(0, 1, [record(1, 1)])
    .synced();
  s.write(5);
  s.greet().error("revoked");
  assert.deepEqual([s.store.allParts().length, s.store.purged, s.store.log().seq], [0, true, 1]);
  assert.deepEqual(s.session.result?.close, 4003);
});

test("safe-up-to may go back", () => {
  const s = new Story();
  s.write(1);
  s.greet(true).welcome().ack(1, { safeUpTo: 1 });
  assert.equal(s.store.log().safe, 1);
  s.greet(true).welcome({ safeUpTo: 0 });
  assert.equal(s.store.log().safe, 0);
});

test("no bytes whatever break a session: it goes on, or ends with an error of the table", () => {
  const r = new Random(21);
  let [ended, going] = [0, 0];
  for (let round = 0; round < 400; round++) {
    const s = new Story();
    s.write(1);
    s.greet().welcome();
    const good = [
      packFrame(encodeMessage({ type: "SYNCED" } as never)),
      packFrame(encodeMessage({ ...EMPTY_ERROR, error: 1, tips: [{ seq: 1, head: r.bytes(32) }] } as never)),
      packFrame(encodeMessage({ type: "BYE", reason: 0, retryS: 3 } as never)),
      packFrame(r.bytes(1 + r.int(40))),
    ];
    for (let i = 0; i < 3 && !s.session.result; i++) {
      const frame = Uint8Array.from(r.pick(good));
      if (r.chance(2)) frame[r.int(frame.length)] ^= 1 << r.int(8);
      s.frame(frame);
    }
    if (s.session.result) ended++;
    else going++;
    assert.ok(s.store.log().acked === 0);
  }
  assert.ok(ended > 50 && going > 5, `${ended} ended, ${going} going on`);
});
