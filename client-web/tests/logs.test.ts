// Several logs of one store: which is handed over when, and what a server that was restored gets again
// (PROTO-58, PROTO-66, PROTO-85, PROTO-113, PROTO-161).
import assert from "node:assert/strict";
import test from "node:test";
import { errorNumber } from "../src/proto/error.ts";
import { chainStart } from "../src/proto/chain.ts";
import { overlay } from "../src/proto/log.ts";
import { OWN, SCOPE_STATE } from "../src/proto/messages.ts";
import type { Name } from "../src/proto/name.ts";
import { shown } from "../src/proto/record.ts";
import { ID, NOW, Story, WRITER } from "./lib/story.ts";

const RESTORED = "51".repeat(16);
const DAY_MS = 86_400_000;
const LATER = (days: number) => NOW + days * DAY_MS;

/** Two entries in a log that was left behind for `next`, and one in that. */
function twoLogs(next = "01".repeat(16)): { s: Story; a: Name; b: Name; c: Name; next: string } {
  const s = new Story();
  const [a, b] = [s.write(1), s.write(2)];
  s.greet().welcome();
  s.pushes();
  s.ack(2).synced();
  leave(s, next);
  const c = s.write(3);
  s.greet().welcome();
  s.pushes();
  s.ack(1).synced();
  assert.deepEqual([s.store.onTop(a), s.store.onTop(c)], [[], []]);
  return { s, a, b, c, next };
}
function leave(s: Story, writer: string): void {
  const head = chainStart(ID.organisation, writer);
  s.store.apply([{ to: "newWriter", writer, device: ID.device, head, askedMs: NOW }]);
}
const names = (s: Story) => [s.store.log(), ...s.store.oldLogs()].map((l) => [l.writer, l.acked, l.seq]);

test("another server answers: each old log is asked about, and what the server lacks goes again", () => {
  const { s, a, b, next } = twoLogs();
  s.greet(true).welcome({ server: RESTORED, own: OWN.TIPS });
  assert.deepEqual([s.hello!.writer, s.hello!.flags], [next, 1]);
  assert.deepEqual(s.pushes().map((p) => s.seqs(p)), [[1]]);
  s.ack(1).synced();
  // it does not stay: the old log is due
  assert.deepEqual(s.sent.map((m) => m.type), ["BYE"]);
  assert.deepEqual(s.session.result, { error: 0, close: 1000, retryS: 0, synced: true, more: true });
  const rung = { seq: 1, head: s.store.heads(WRITER, [1])[0]!.subarray(0, 8) };
  s.greet(true).welcome({ server: RESTORED, own: OWN.LADDER, ladder: [rung] });
  assert.deepEqual([s.hello!.writer, s.hello!.ownSeq, s.hello!.flags], [WRITER, 2, 0], "and not live");
  const [p] = s.pushes();
  assert.deepEqual([s.seqs(p), p.prev], [[2], s.store.heads(WRITER, [1])[0]]);
  assert.deepEqual([s.store.onTop(a).length, s.store.onTop(b).length], [0, 1]);
  s.ack(2).synced();
  assert.equal(s.session.result?.more, true, "the live one goes on");
  s.greet(true).welcome({ server: RESTORED }).synced();
  assert.deepEqual([s.hello!.writer, s.session.result, names(s)], [
    next,
    undefined,
    [
      [next, 1, 1],
      [WRITER, 2, 2],
    ],
  ]);
});

test("an old log is asked about once a day until it is safe, and by another server at once", () => {
  const { s, next } = twoLogs();
  const greets = (nowMs: number) => s.greet(false, new Set(), nowMs).hello!.writer;
  assert.equal(greets(NOW), next);
  assert.equal(greets(LATER(1)), WRITER);
  s.welcome({ safeUpTo: 1 }).synced();
  assert.equal(greets(LATER(1)), next);
  assert.equal(greets(LATER(2)), WRITER);
  s.welcome({ safeUpTo: 2 }).synced();
  assert.equal(greets(LATER(9)), next);
  s.welcome({ server: RESTORED }).synced();
  assert.equal(greets(LATER(9)), WRITER);
});

test("what is unsent goes first, the live log last; what did not get through is left out once", () => {
  const { s, next } = twoLogs();
  s.store.apply([{ to: "rollback", writer: WRITER, upTo: 1 }]);
  s.write(4);
  assert.equal(s.greet().hello!.writer, WRITER);
  s.welcome();
  s.pushes();
  s.error("need_keys").synced();
  assert.deepEqual([s.session.result?.synced, s.session.result?.more], [false, false]);
  assert.equal(s.greet(true, new Set([WRITER])).hello!.writer, next);
  s.welcome();
  s.pushes();
  s.ack(2).synced();
  assert.equal(s.session.result, undefined, "it stays");
  // a due log waits for a live one with entries
  s.write(5);
  assert.equal(s.greet(false, new Set([WRITER]), LATER(1)).hello!.writer, next);
});

test("a tablet that ends before it has noted what the server lacks asks again", () => {
  const { s } = twoLogs();
  s.greet().welcome({ server: RESTORED }).synced();
  const apply = s.store.apply.bind(s.store);
  s.store.apply = (changes) => {
    if (changes.some((c) => c.to === "rollback")) throw new Error("the battery is empty");
    apply(changes);
  };
  s.greet();
  assert.equal(s.hello!.writer, WRITER);
  assert.throws(() => s.welcome({ server: RESTORED, own: OWN.TIPS }));
  s.store.apply = apply;
  assert.equal(s.greet().hello!.writer, WRITER);
});

test("changes over several logs lie on top as they were written, whatever the ids of the logs", () => {
  const s = new Story();
  s.store.apply([{ to: "cursor", staged: false, cursor: { scope: 2, pos: 1, hash: new Uint8Array(16) } }]);
  const a = s.write(1);
  const value = () => shown(overlay(s.store.part(a)?.record ?? null, s.store.onTop(a), 0)!, 19);
  let last = a;
  for (const [i, writer] of ["02", "ff", "01"].entries()) {
    const receipts = [{ seq: 1, receipt: { serverMs: NOW, offsetMs: 0, reason: 0 } }];
    s.store.apply([{ to: "acked", writer: s.store.log().writer, upTo: 1, receipts }]);
    leave(s, writer.repeat(16));
    last = s.write(10 + i, a, [last]);
    assert.equal(value(), 10 + i);
  }
  s.store.apply([{ to: "again" }]);
  for (let n = 0; n < 4; n++) {
    s.greet().welcome();
    s.pushes();
    s.ack(1).synced();
    assert.equal(value(), 12);
  }
  assert.deepEqual(s.store.onTop(a), []);
  assert.equal(shown(s.store.part(a)!.record, 19), 12);
});

test("PROTO-113: an entry waits on top for what it rests on in an old log that was not asked about", () => {
  const { s, a } = twoLogs();
  const edit = s.write(7, a, [a]);
  s.store.apply([
    { to: "gone", staged: false, scope: 2, name: a },
    { to: "cursor", staged: false, cursor: { scope: 2, pos: 1, hash: new Uint8Array(16) } },
  ]);
  s.greet().welcome({ server: RESTORED, own: OWN.TIPS });
  assert.equal(s.pushes().length, 2);
  s.delta(0, 1, []).error("gap").ack(2).synced();
  const onTop = () => s.store.onTop(a).map((e) => e.op.name);
  assert.deepEqual(onTop(), [edit]);
  s.greet().welcome({ server: RESTORED, own: OWN.TIPS });
  assert.equal(s.hello!.writer, WRITER);
  assert.deepEqual(onTop(), [a, edit]);
  s.pushes();
  s.ack(2).synced();
  assert.deepEqual(onTop(), []);
  assert.equal(shown(s.store.part(a)!.record, 19), 7);
});

test("PROTO-113: what another server acknowledged of the live log waits for the session about that log", () => {
  const { s, next } = twoLogs();
  s.store.apply([{ to: "cursor", staged: false, cursor: { scope: 2, pos: 1, hash: new Uint8Array(16) } }]);
  const d = s.write(4);
  s.greet().welcome();
  s.pushes();
  s.ack(2); // and the link is cut
  s.greet(false, undefined, LATER(1)).welcome({ server: RESTORED }).delta(0, 1, []).synced();
  assert.equal(s.hello!.writer, WRITER);
  assert.deepEqual([s.store.onTop(d).length, s.store.part(d)], [1, undefined], "it may lack it");
  s.greet(false, undefined, LATER(1)).welcome({ server: RESTORED, own: OWN.TIPS });
  assert.equal(s.hello!.writer, next);
  assert.equal(s.pushes().length, 1);
  s.ack(2).synced();
  assert.deepEqual([s.store.onTop(d).length, s.store.part(d)?.record.created], [0, true]);
});

test("offered again: all of every log goes from its beginning, and nothing that is shown changes", () => {
  const { s, a, b, c, next } = twoLogs();
  s.store.apply([{ to: "again" }]);
  assert.deepEqual([a, b, c].flatMap((n) => s.store.onTop(n)), []);
  assert.deepEqual(names(s), [
    [next, 0, 1],
    [WRITER, 0, 2],
  ]);
  for (const [writer, seqs] of [
    [WRITER, [1, 2]],
    [next, [1]],
  ] as const) {
    s.greet().welcome();
    assert.deepEqual([s.hello!.writer, s.pushes().map((p) => s.seqs(p))], [writer, [seqs]]);
    s.ack(seqs.length);
    assert.equal(s.store.onTop(writer === next ? c : a).length, 1, "until the server has told");
    s.synced();
  }
  assert.equal(s.session.result?.more, false);
  assert.deepEqual([a, b, c].flatMap((n) => s.store.onTop(n)), []);
});

test("offered again while a session stays: an answer to what went before counts for nothing", () => {
  const { s, a, c, next } = twoLogs();
  s.greet(true).welcome().synced();
  assert.equal(s.session.result, undefined);
  s.write(4);
  s.changed();
  assert.deepEqual(s.pushes().map((p) => s.seqs(p)), [[2]]);
  s.store.apply([{ to: "again" }]); // the ACK is under way
  s.ack(2);
  assert.deepEqual(names(s)[0], [next, 0, 2]);
  const [p] = s.pushes();
  assert.deepEqual([s.seqs(p), p.prev], [[1, 2], s.store.heads(next, [0])[0]]);
  s.ack(2).synced();
  assert.deepEqual(names(s)[0], [next, 2, 2]);
  assert.deepEqual(s.sent.map((m) => m.type), ["BYE"], "the other log is due");
  assert.equal(s.greet(true).hello!.writer, WRITER);
  s.welcome();
  assert.deepEqual(s.pushes().map((p) => s.seqs(p)), [[1, 2]]);
  s.ack(2).synced();
  assert.deepEqual([s.store.onTop(a), s.store.onTop(c)], [[], []]);
});

test("a device that has ended hands over each log, and only then says so", () => {
  const { s, next } = twoLogs();
  s.store.apply([{ to: "again" }]);
  const gone = [{ scope: 1, state: SCOPE_STATE.GONE }];
  s.greet(true).welcome({ scopes: gone });
  s.pushes();
  s.ack(2).synced();
  assert.deepEqual([s.sent, s.session.result?.error, s.session.result?.more], [
    [],
    errorNumber("revoked"),
    true,
  ]);
  s.greet(true).welcome({ scopes: gone });
  assert.equal(s.hello!.writer, next);
  s.pushes();
  s.ack(1).synced();
  assert.deepEqual(s.sent.map((m) => m.type), ["ACKED"]);
});
