// Steps: generators that yield whatever may come later, a signature or stored data, and go on with it.
// They let one text serve stores and keys that answer at once, as in tests, and those that do not, as in a
// browser.
import { fail } from "./error.ts";
import type { Later } from "./store.ts";

export type Step<T> = Generator<unknown, T, unknown>;
/** What a port gives, now or later. */
export function* get<T>(v: Later<T>): Step<T> {
  return (yield v) as T;
}
/** Runs a step whose ports answer at once. */
export function runNow<T>(step: Step<T>): T {
  for (let r = step.next(); ; r = step.next(r.value)) {
    if (r.done) return r.value;
    if (r.value instanceof Promise) fail("invalid", "a port that answers later");
  }
}
export async function runLater<T>(step: Step<T>): Promise<T> {
  for (let r = step.next(); ; ) {
    if (r.done) return r.value;
    let v: unknown;
    try {
      v = await r.value;
    } catch (e) {
      r = step.throw(e);
      continue;
    }
    r = step.next(v);
  }
}
