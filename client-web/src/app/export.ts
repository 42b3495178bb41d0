// Entries that are on no server, as a file: the last resort when a tablet can send no more. Readable for
// a person, and exact for a program: beside the labels stand the canonical bytes that the log's chain
// was made over.
import type { ExportFile } from "./api.ts";
import { hex } from "../proto/bytes.ts";
import { nameText } from "../proto/name.ts";
import { type WholeOp, encodeHeader, encodePayload } from "../proto/op.ts";
import { fieldOfKind } from "../proto/schema.ts";
import { isSet } from "../proto/value.ts";
import type { Core } from "./core.ts";
import type { EntryRow } from "./db.ts";
import { openEntry } from "./entries.ts";
import { outOf, setOut } from "./kinds.ts";
import { Sealer } from "./seal.ts";

const PAGE = 500;

/** A server has what it refused, so that it is closed like the rest; what is unsent is not. */
const opens = (core: Core, row: EntryRow): boolean =>
  !core.sealer.closed || row.body === null || Sealer.isOwn(row.body);

/** Rows that no server has acknowledged, or that it refused: of all logs of this store, in order. */
async function unsentRows(core: Core): Promise<EntryRow[]> {
  const log = await core.store.log();
  const rows: EntryRow[] = [];
  if (log.seq > log.acked) {
    const live = IDBKeyRange.bound([log.writer, log.acked + 1], [log.writer, log.seq]);
    rows.push(...(await core.db.getAll("entries", live)));
  }
  const looked = await core.db.getAllFromIndex("entries", "att", 1);
  rows.push(...looked.filter((r) => r.refused && r.receipt && opens(core, r)));
  let from: IDBKeyRange | undefined;
  for (;;) {
    const page = await core.db.getAll("entries", from, PAGE);
    rows.push(...page.filter((r) => r.w !== log.writer && !r.receipt));
    if (page.length < PAGE) return rows;
    const last = page[page.length - 1];
    from = IDBKeyRange.lowerBound([last.w, last.seq], true);
  }
}

function describe(core: Core, op: WholeOp): Record<string, unknown> {
  const kind = core.directory.schemas.kind(op.kind);
  const values = op.fields.map((f) => {
    const field = kind && fieldOfKind(kind, f.id);
    const value = isSet(f.value) ? { erbij: setOut(f.value.add), eraf: setOut(f.value.del) } : outOf(f.value);
    const chosen = field?.codes.find((c) => c.code === f.value)?.nl;
    return { veld: f.id, naam: field?.nl ?? null, waarde: value, ...(chosen ? { keuze: chosen } : {}) };
  });
  return {
    soort: kind?.nl ?? op.kind,
    client: core.directory.nameOf(op.participant),
    medewerker: core.directory.nameOf(op.author),
    tijd: new Date(op.time * 1000).toISOString(),
    nieuw: op.record === null,
    waarden: values,
  };
}

export async function exportUnsent(core: Core): Promise<ExportFile> {
  const entries = await Promise.all(
    (await unsentRows(core)).map(async (row) => {
      const { op, headerHash, commitment } = await openEntry(core.sealer, row);
      const content =
        op.form === "whole"
          ? { ...describe(core, op), header: hex(encodeHeader(op)), payload: hex(encodePayload(op)) }
          : {};
      return {
        naam: nameText(op.name),
        geweigerd: row.refused || undefined,
        ...content,
        header_sha256: hex(headerHash),
        commitment: hex(commitment),
        head: hex(row.head),
      };
    }),
  );
  const { device, organisation, deviceName } = core.identity;
  const made = new Date(core.clock.now() * 1000).toISOString();
  const file = { overdracht: 1, gemaakt: made, tablet: deviceName, device, organisation, invoer: entries };
  return {
    name: `overdracht-niet-verstuurd-${made.slice(0, 10)}.json`,
    type: "application/json",
    body: new Blob([JSON.stringify(file, null, 2)], { type: "application/json" }),
    entries: entries.length,
  };
}
