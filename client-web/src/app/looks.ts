// Who looked at whom on this tablet (PROTO-163): the server's audit knows what a tablet was sent, not who
// read it there. Kept sealed as person, client, first, last and how often; while there is a connection
// each becomes an entry of kind `look`.
import type { RecordView } from "./api.ts";
import { utf8, utf8Decode } from "../proto/bytes.ts";
import { OvError } from "../proto/error.ts";
import type { Name } from "../proto/name.ts";
import { type Header, KIND, type Payload } from "../proto/op.ts";
import type { Core } from "./core.ts";
import { type TableName, type Write, putMeta, readMeta } from "./db.ts";
import type { Env } from "./env.ts";

const PLACE = "looks";
/** a screen that is drawn again is no further look */
const SAME_S = 60;
const LOOKS_MAX = 4096;
const TIMES_MAX = 1_000_000;

export interface Look {
  person: Name;
  client: Name;
  /** of the team through which the client was seen */
  scope: number;
  /** seconds, own clock */
  first: number;
  last: number;
  times: number;
}

export class Looks {
  readonly #core: Core;
  readonly #env: Env;
  /** looks that were noted by this page, by person and client: seconds */
  readonly #recent = new Map<string, number>();

  constructor(core: Core, env: Env) {
    this.#core = core;
    this.#env = env;
  }

  async #read(): Promise<Look[]> {
    const sealed = await readMeta(this.#core.db, "looks");
    if (!sealed) return [];
    return JSON.parse(utf8Decode(await this.#core.sealer.open(PLACE, sealed)) ?? "[]") as Look[];
  }
  /** Beside them lies in the open how many they are: a closed store can be asked for that. */
  async #sealed(list: Look[]): Promise<(tx: Write) => Promise<void>> {
    const body = await this.#core.sealer.seal(PLACE, utf8(JSON.stringify(list)));
    return async (tx) => {
      await putMeta(tx, "looks", body);
      await putMeta(tx, "notedLooks", list.length);
    };
  }
  async #keep(list: Look[]): Promise<void> {
    const put = await this.#sealed(list);
    const tx = this.#core.db.transaction(["meta"] as TableName[], "readwrite");
    await Promise.all([put(tx), tx.done]);
  }

  /** How many are noted and no entries yet. */
  async noted(): Promise<number> {
    const { db, sealer } = this.#core;
    const n = await readMeta(db, "notedLooks");
    return n ?? (sealer.closed ? 0 : (await this.#read()).length);
  }

  /** Before what was found is shown. Says whether there was anything to note. */
  async note(person: Name, views: readonly RecordView[]): Promise<boolean> {
    const now = Math.floor(this.#env.nowMs() / 1000);
    const fresh = new Map<Name, number>();
    for (const { client, team } of views) {
      const scope = team === null ? undefined : this.#core.directory.scopeOf(team);
      if (client === null || scope === undefined) continue;
      const before = this.#recent.get(`${person} ${client}`);
      if (before === undefined || now < before || now - before >= SAME_S) fresh.set(client, scope);
    }
    if (!fresh.size) return false;
    await this.#env.lock("looks", async () => {
      const list = await this.#read();
      for (const [client, scope] of fresh)
        add(list, { person, client, scope, first: now, last: now, times: 1 });
      await this.#keep(list.slice(-LOOKS_MAX));
    });
    for (const client of fresh.keys()) this.#recent.set(`${person} ${client}`, now);
    return true;
  }

  /** Each look leaves the list in the transaction that makes it an entry. */
  async handOver(): Promise<void> {
    const version = this.#core.directory.schemas.kind(KIND.LOOK)?.version;
    if (version === undefined) return; // a server that does not know them yet
    const deviceS = Math.floor(this.#env.nowMs() / 1000);
    await this.#env.lock("looks", async () => {
      const list = await this.#read();
      for (let look = list.shift(); look; look = list.shift()) {
        try {
          await this.#core.store.append(lookOp(look, version, deviceS), await this.#sealed(list));
        } catch (e) {
          if (!(e instanceof OvError) || e.slug !== "no_key") throw e;
          await this.#keep(list); // erased: nothing can be said of them any more
        }
      }
    });
  }
}

function add(list: Look[], look: Look): void {
  const same = list.find((l) => l.person === look.person && l.client === look.client);
  if (!same) return void list.push(look);
  same.last = look.last;
  same.times = Math.min(TIMES_MAX, same.times + 1);
}

const lookOp = (look: Look, version: number, deviceS: number): Header & Payload => ({
  scope: look.scope,
  record: null,
  kind: KIND.LOOK,
  version,
  participant: look.client,
  author: look.person,
  time: deviceS,
  fields: [
    { id: 2, value: look.first },
    { id: 3, value: look.last },
    { id: 4, value: look.times },
  ],
  replaces: [],
});
