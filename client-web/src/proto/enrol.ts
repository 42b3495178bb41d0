// Enrolment (PROTOCOL.md section 17), and how long to stay away after a failure.
import { OvError, closeCode, wireNumber } from "./error.ts";
import { type Enrolled, PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "./messages.ts";
import { Peer } from "./peer.ts";
import type { Result } from "./session.ts";

/** ENROL on a fresh connection (section 17); after ENROLLED the peer may greet. */
export class Enrolment {
  readonly peer = new Peer();
  enrolled: Enrolled | undefined;
  result: Result | undefined;

  start(code: string, publicKey: Uint8Array, deviceName: string): Uint8Array {
    return this.peer.send({
      type: "ENROL",
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION,
      code,
      publicKey,
      deviceName,
    });
  }
  receive(frame: Uint8Array): void {
    if (this.result) return;
    try {
      const m = this.peer.receive(frame);
      if (m.type === "ENROLLED") this.enrolled = m;
      else if (m.type === "ERROR") this.#end(m.error, m.retryS);
      else if (m.type === "BYE") this.#end(m.reason, m.retryS);
    } catch (e) {
      const nr = e instanceof OvError ? wireNumber(e.slug) : undefined;
      if (nr === undefined) throw e;
      this.#end(nr, 0);
    }
  }
  #end(error: number, retryS: number): void {
    this.result = { error, close: error ? closeCode(error) : 1000, retryS, synced: false, more: false };
  }
}

const RETRY_MAX_S = 15 * 60;
/** Milliseconds to wait after so many failures in a row (PROTO-118). random: 0 … 1 */
export function retryDelayMs(retryS: number, failures: number, random: number): number {
  const base = Math.max(1, retryS);
  const wait = (base + random * base) * 2 ** Math.max(0, Math.min(failures - 1, 20));
  return 1000 * Math.max(base, Math.min(wait, Math.max(RETRY_MAX_S, base)));
}
