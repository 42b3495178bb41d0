// Sessions of this client with the real server: enrolment, pushing, receiving, conflicts, cuts, doubles,
// revocation, bytes.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { chainOp } from "../src/proto/chain.ts";
import { type Name, ZERO_TAG, makeName } from "../src/proto/name.ts";
import type { Op } from "../src/proto/op.ts";
import { conflicts, liveOf, shown } from "../src/proto/record.ts";
import { Daemon, daemonMissing } from "./lib/daemon.ts";
import { Tablet } from "./lib/tablet.ts";

const skip = daemonMissing ?? false;
const SLEEP = 20;
let daemon: Daemon;
let a: Tablet;
let b: Tablet;
let team = 0;
let client: Name;
let anna: Name;

async function tablet(label: string, ...teams: string[]): Promise<Tablet> {
  const { code } = daemon.admin("device", "add", label, ...teams.flatMap((t) => ["--team", t]));
  const t = new Tablet(daemon.port);
  assert.equal(await t.enrol(code, label), undefined);
  return t;
}
const night = (n: number, quality = 4) => [
  { id: 10, value: 20400 + n },
  { id: 11, value: 1 },
  { id: 19, value: quality },
];
const write = (t: Tablet, n: number, quality = 4) =>
  t.write({ kind: SLEEP, scope: team, participant: client, author: anna, fields: night(n, quality) });
const edit = (t: Tablet, record: Name, quality: number) =>
  t.write({
    kind: SLEEP,
    scope: team,
    record,
    participant: client,
    author: anna,
    fields: [{ id: 19, value: quality }],
  });

before(async () => {
  if (skip) return;
  daemon = new Daemon();
  await daemon.start();
  daemon.admin("organisation", "add", "De Linde");
  daemon.admin("team", "add", "Beuk");
  daemon.admin("person", "add", "Anna", "--team", "Beuk");
  daemon.admin("participant", "add", "K. (kamer 4)", "--team", "Beuk");
  a = await tablet("Tablet A", "Beuk");
  b = await tablet("Tablet B", "Beuk");
});
after(async () => daemon?.end());

test("a wrong code is refused with its error", { skip }, async () => {
  const t = new Tablet(daemon.port);
  const result = await t.enrol("0000-0000-0000", "x");
  assert.equal(result?.error, 26);
  assert.equal(result?.close, 4004);
});

test("a fresh tablet receives schemas, people and participants", { skip }, async () => {
  const out = await a.sync();
  assert.deepEqual([out.result?.error, out.result?.synced], [0, true]);
  assert.ok(a.schemas.all().length >= 20);
  client = a.all(6)[0].name;
  anna = a.all(4)[0].name;
  team = a.all(6)[0].scope;
  assert.equal(shown(a.all(6)[0], 2), "K. (kamer 4)");
  assert.ok(a.store.key(client), "the participant's commit key came with it");
  assert.equal((await b.sync()).result?.synced, true);
});

test("an entry goes up, is acknowledged and absorbed, and reaches the other tablet", { skip }, async () => {
  const record = write(a, 1);
  const out = await a.sync();
  assert.equal(out.result?.synced, true);
  assert.deepEqual([a.store.log().acked, a.store.onTop(record).length], [1, 0]);
  await b.sync();
  assert.deepEqual(b.view(record), a.view(record));
  assert.equal(shown(b.view(record)!, 19), 4);
});

test(
  "two edits that did not see each other are a conflict on both, until one settles it",
  { skip },
  async () => {
    const record = write(a, 2);
    await a.sync();
    await b.sync();
    edit(a, record, 2);
    edit(b, record, 5);
    await a.sync();
    await b.sync();
    await a.sync();
    for (const t of [a, b]) assert.equal(conflicts(t.view(record)!), 1);
    assert.deepEqual(liveOf(a.view(record)!, 19), liveOf(b.view(record)!, 19));
    edit(b, record, 3);
    await b.sync();
    await a.sync();
    for (const t of [a, b])
      assert.deepEqual([conflicts(t.view(record)!), shown(t.view(record)!, 19)], [0, 3]);
  },
);

test("a value out of range is held, with the reason, and blocks nothing", { skip }, async () => {
  const record = write(a, 3, 77);
  const next = write(a, 4);
  const out = await a.sync();
  assert.ok(out.events.some((e) => e.is === "held" && e.reason === 3));
  assert.equal(a.view(record)!.held.length, 1);
  assert.equal(shown(a.view(next)!, 19), 4);
  assert.equal(a.store.log().acked, a.store.log().seq);
});

test("a retraction and its undoing", { skip }, async () => {
  const record = write(a, 5);
  a.write({
    kind: SLEEP,
    scope: team,
    record,
    participant: client,
    author: anna,
    fields: [{ id: 1, value: "verkeerde cliënt" }],
  });
  await a.sync();
  await b.sync();
  assert.equal(b.view(record)!.live.find((l) => l.field === 1)?.value, "verkeerde cliënt");
  b.write({
    kind: SLEEP,
    scope: team,
    record,
    participant: client,
    author: anna,
    fields: [{ id: 1, value: null }],
    replaces: b
      .view(record)!
      .live.filter((l) => l.field === 1)
      .map((l) => b.view(record)!.ops[l.op].name),
  });
  await b.sync();
  await a.sync();
  assert.equal(shown(a.view(record)!, 1), null);
});

test("nothing new: one message up, at most 400 bytes both ways", { skip }, async () => {
  await a.sync();
  const out = await a.sync();
  // a server that has just started challenges everybody (PROTO-133)
  assert.deepEqual(
    Object.keys(out.up).filter((k) => k !== "PROOF"),
    ["HELLO"],
  );
  const bytes = out.upBytes - (out.up.PROOF ?? 0) + out.downBytes - (out.down.CHALLENGE ?? 0);
  assert.ok(bytes <= 400, `${bytes} bytes`);
});

test("a clock a day off is challenged, answered, noted, and harms nothing", { skip }, async () => {
  a.clockMs = -86400_000;
  const record = write(a, 6);
  const out = await a.sync();
  assert.equal(out.result?.synced, true);
  assert.ok("PROOF" in out.up);
  assert.ok(out.events.some((e) => e.is === "clock" && e.suspect));
  const op = a.view(record)!.ops[0];
  assert.ok(Math.abs(op.time - Date.now() / 1000) < 10, "the offset puts it right");
  assert.equal(op.flags, 1);
  a.clockMs = 0;
});

test("many entries travel in small frames, four at a time, and cuts lose nothing", { skip }, async () => {
  const records = Array.from({ length: 900 }, (_, i) =>
    a.write({
      kind: SLEEP,
      scope: team,
      participant: client,
      author: anna,
      fields: [
        ...night(100 + i),
        { id: 5, value: `${i}: ${"onrustig, twee keer uit bed ".repeat(i % 7)}` },
      ].sort((x, y) => x.id - y.id),
    }),
  );
  for (let cutAfter = 0; cutAfter < 4; cutAfter++) await a.sync({ frameBytes: 4096, cutAfter });
  const out = await a.sync({ frameBytes: 4096 });
  assert.equal(out.result?.synced, true);
  assert.equal(a.store.log().acked, a.store.log().seq);
  for (let cutAfter = 0; cutAfter < 3; cutAfter++) await b.sync({ frameBytes: 4096, cutAfter });
  await b.sync();
  assert.equal(b.all(SLEEP).length, a.all(SLEEP).length);
  for (const r of [records[0], records[450], records[899]]) assert.deepEqual(b.view(r), a.view(r));
});

test("live: what one tablet writes appears on the other without its asking", { skip }, async () => {
  let record: Name | undefined;
  const listening = b.sync({
    live: true,
    until: (_, events) =>
      record !== undefined && events.some((e) => e.is === "received" && e.names.includes(record!)),
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  record = write(a, 7);
  await a.sync();
  const out = await listening;
  assert.equal(out.result?.error, 0);
  assert.equal(shown(b.view(record)!, 19), 4);
});

test(
  "a copied store: both branches are kept, and the copy goes on under a new writer",
  { skip },
  async () => {
    const writerBefore = a.store.log().writer;
    const copy = a.moved(daemon.port, copyStore(a));
    const one = write(a, 8);
    const two = write(copy, 9);
    await a.sync();
    const out = await copy.sync();
    assert.ok(out.events.some((e) => e.is === "double"));
    assert.notEqual(copy.store.log().writer, writerBefore);
    const three = write(copy, 10);
    assert.equal((await copy.sync()).result?.synced, true);
    await b.sync();
    for (const r of [one, two, three]) assert.equal(shown(b.view(r)!, 19), 4);
    // the original finds the other branch too, and leaves the writer that is no longer its own
    const writer = a.store.log().writer;
    assert.ok((await a.sync()).events.some((e) => e.is === "double"));
    assert.notEqual(a.store.log().writer, writer);
  },
);

test("a server that starts again is greeted again, and knows what it acknowledged", { skip }, async () => {
  const record = write(b, 11);
  await b.sync();
  await daemon.stop();
  await daemon.start();
  const again = b.moved(daemon.port);
  edit(again, record, 1);
  const out = await again.sync();
  assert.equal(out.result?.synced, true);
  a = a.moved(daemon.port);
  b = again;
  await a.sync();
  assert.equal(shown(a.view(record)!, 19), 1);
});

test("an ACK that was tampered with counts for nothing, and ends the connection", { skip }, async () => {
  const record = write(a, 13);
  const before = a.store.log().acked;
  const out = await a.sync({ tamper: (plain) => plain[1] === 8 && (plain[plain.length - 1] ^= 1) });
  assert.equal(out.result?.error, 24);
  assert.equal(a.store.log().acked, before);
  assert.equal(a.store.onTop(record).length, 1);
  assert.equal((await a.sync()).result?.synced, true, "the same push again is answered as the first time");
  assert.equal(a.store.log().acked, a.store.log().seq);
});

test("an op that no receiver takes travels as a void, and the log goes on", { skip }, async () => {
  const log = a.store.log();
  const header = {
    scope: team,
    record: null,
    kind: SLEEP,
    version: 1,
    participant: client,
    author: anna,
    time: Math.floor(Date.now() / 1000),
  };
  const broken: Op = {
    form: "verbatim",
    name: makeName(log.writer, log.seq + 1, ZERO_TAG),
    ...header,
    payload: Uint8Array.of(0xc1),
    refused: "op_format",
  };
  const link = chainOp(broken, a.store.key(client)!, log.head);
  a.store.append(
    { seq: log.seq + 1, op: broken, ...link, receipt: null, onTop: true, refused: 0 },
    { ...log, seq: log.seq + 1, head: link.head },
  );
  const next = write(a, 14);
  const out = await a.sync();
  assert.ok(out.events.some((e) => e.is === "refused" && e.seq === log.seq + 1 && e.error === 3));
  assert.equal(a.store.log().acked, a.store.log().seq);
  await b.sync();
  assert.equal(shown(b.view(next)!, 19), 4);
});

test("commit keys that the server lacks are asked for and given", { skip }, async () => {
  // A has made a participant and not sent it; B knows it by other ways
  const made = a.write({
    kind: 6,
    scope: team,
    author: anna,
    fields: [
      { id: 2, value: "Nieuw" },
      { id: 4, value: { add: [team], del: [] } },
      { id: 5, value: new Uint8Array(32).fill(7) },
    ],
  });
  for (const t of [a, b]) t.store.apply([{ to: "key", of: made, key: new Uint8Array(32).fill(7) }]);
  b.write({ kind: SLEEP, scope: team, participant: made, author: anna, fields: night(15) });
  const out = await b.sync();
  assert.ok("ERROR" in out.down);
  assert.equal(b.store.log().acked, b.store.log().seq);
  assert.equal((await a.sync()).result?.synced, true);
});

test("a server restored from an older state is refilled", { skip }, async () => {
  await a.sync();
  await b.sync();
  await daemon.stop();
  daemon.save();
  await daemon.start();
  a = a.moved(daemon.port);
  b = b.moved(daemon.port);
  const [one, two] = [write(a, 16), write(b, 17)];
  await a.sync();
  await b.sync();
  await a.sync();
  assert.equal(shown(a.view(two)!, 19), 4);
  await daemon.stop();
  daemon.restore();
  await daemon.start();
  a = a.moved(daemon.port);
  b = b.moved(daemon.port);
  const out = await a.sync();
  assert.equal(out.result?.synced, true);
  assert.equal(a.store.log().acked, a.store.log().seq);
  assert.equal((await b.sync()).result?.synced, true);
  await a.sync();
  for (const t of [a, b]) for (const r of [one, two]) assert.equal(shown(t.view(r)!, 19), 4);
  assert.deepEqual(
    a
      .all(SLEEP)
      .map((r) => r.name)
      .sort(),
    b
      .all(SLEEP)
      .map((r) => r.name)
      .sort(),
  );
});

test(
  "a revoked tablet is told, hands over what it had not sent and purges what it received",
  { skip },
  async () => {
    write(b, 12);
    daemon.admin("device", "revoke", "Tablet B");
    const out = await b.sync();
    assert.equal(out.result?.error, 25);
    assert.equal(b.store.allParts().length, 0);
    assert.equal(b.store.log().seq, b.store.log().acked);
    assert.equal((await b.sync()).result?.error, 25); // from now on it is refused at once
  },
);

/** Another store with the same log and records, as a copied disk has. */
function copyStore(t: Tablet) {
  const store = t.store;
  const fresh = new (store.constructor as typeof import("../src/proto/store.ts").MemoryStore)(
    store.log().writer,
    store.log().device,
    store.heads(store.log().writer, [0])[0]!,
  );
  for (const e of store.entries(store.log().writer, 1, store.log().seq, Number.MAX_SAFE_INTEGER))
    fresh.append({ ...e }, { ...store.log(), seq: e.seq, head: e.head });
  const server = store.server();
  fresh.apply([
    ...(server ? [{ to: "server" as const, server }] : []),
    ...store.allParts().map((part) => ({ to: "put" as const, staged: false, part })),
    ...store.cursors().map((cursor) => ({ to: "cursor" as const, staged: false, cursor })),
    ...[client, "scope:1", `scope:${team}`].map((of) => ({ to: "key" as const, of, key: store.key(of)! })),
  ]);
  return fresh;
}
