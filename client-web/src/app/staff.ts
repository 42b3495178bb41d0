// Who works on the tablet: names and PINs.
import type { Id, Person, SignIn } from "./api.ts";
import type { Core } from "./core.ts";
import { readMeta } from "./db.ts";
import { appError, stored } from "./errors.ts";
import { pinProblem, setPin, tryPin, waitMs } from "./pins.ts";
import { Tablet, type Told } from "./tablet.ts";

/** A PIN is chosen within so long after the server has vouched for the tablet. */
const FRESH_SYNC_MS = 15 * 60_000;

export abstract class Staff extends Tablet {
  async #personOf(core: Core, id: Id): Promise<Person> {
    const pin = await core.db.get("pins", id);
    const wait = pin ? Math.ceil(waitMs(pin, this.env.nowMs()) / 1000) : 0;
    return { id, name: core.directory.nameOf(id) ?? "?", hasPin: !!pin, waitS: wait };
  }
  async people(team: Id): Promise<Person[]> {
    const core = this.enrolled();
    const scope = core.directory.scopeOf(team);
    const list = scope === undefined ? [] : core.directory.people(scope);
    return Promise.all(list.map((p) => this.#personOf(core, p.id)));
  }
  async choosePin(person: Id, pin: string): Promise<void> {
    const core = this.enrolled();
    if (!core.directory.isActivePerson(person)) throw appError("person_gone");
    if (await core.db.get("pins", person)) throw appError("pin_exists");
    if (pinProblem(pin)) throw appError("pin_weak");
    if (this.entryOnly || !(await this.#isFresh(core))) throw appError("offline");
    await stored(() => setPin(core.db, person, pin));
    await this.#enter(core, person);
  }
  async #isFresh(core: Core): Promise<boolean> {
    if (this.status.state === "live") return true;
    const lastMs = (await readMeta(core.db, "lastSync")) ?? 0;
    const age = this.env.nowMs() + core.offsetMs - lastMs;
    return (age >= 0 && age < FRESH_SYNC_MS) || this.env.nowMs() - this.freshMs < FRESH_SYNC_MS;
  }
  async signInVouched(person: Id): Promise<void> {
    const core = this.enrolled();
    if (this.entryOnly) throw this.notShown();
    if (!core.directory.isActivePerson(person)) throw appError("person_gone");
    await this.#enter(core, person);
  }
  async signIn(person: Id, pin: string): Promise<SignIn> {
    const core = this.enrolled();
    const no = (
      why: "wrong" | "wait" | "no_pin" | "person_gone",
      waitS: number,
      nl: string,
      en: string,
    ): SignIn => ({
      ok: false,
      why,
      waitS,
      text: { nl, en },
    });
    if (!core.directory.isActivePerson(person)) {
      const { nl, en } = appError("person_gone").text;
      return no("person_gone", 0, nl, en);
    }
    const before = await this.#personOf(core, person);
    const tried = await stored(() =>
      this.env.lock("pin", () => tryPin(core.db, person, pin, this.env.nowMs)),
    );
    this.say("people");
    if (!tried) return no("no_pin", 0, "Kies eerst een pincode.", "Choose a PIN first.");
    const waitS = Math.ceil(tried.waitMs / 1000);
    if (before.waitS > 0)
      return no("wait", waitS, `Wacht nog ${waitS} tellen.`, `Wait another ${waitS} seconds.`);
    if (!tried.ok) return no("wrong", waitS, "De pincode klopt niet.", "The PIN is wrong.");
    await this.#enter(core, person);
    return { ok: true };
  }
  async #enter(core: Core, person: Id): Promise<void> {
    this.who = await this.#personOf(core, person);
    this.say("person");
    this.say("people");
    this.storeChannel?.post({ is: "people" } satisfies Told);
  }
  async clearPin(person: Id): Promise<void> {
    const core = this.reading();
    if (this.who!.id === person) throw appError("own_pin");
    await stored(() => core.db.delete("pins", person));
    this.say("people");
    this.storeChannel?.post({ is: "people" } satisfies Told);
  }
}
