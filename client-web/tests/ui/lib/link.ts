// A bad link between browser and server: a TCP relay with delay, a rate, and cuts. Bytes pass in order.
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

export interface LinkOptions {
  /** each way, milliseconds */
  delayMs: number;
  /** bytes a second each way; 0: no limit */
  rate: number;
  /** every so many bytes down the connection is cut; 0: never */
  cutAfter: number;
}

export class Link {
  options: LinkOptions;
  cuts = 0;
  /** nothing passes: no network */
  down = false;
  readonly #port: number;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #passed = 0;

  constructor(port: number, options: LinkOptions) {
    this.#port = port;
    this.options = options;
  }
  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }
  async open(): Promise<void> {
    this.#server = createServer((near) => this.#take(near));
    await new Promise<void>((done) => this.#server!.listen(0, "127.0.0.1", done));
  }
  cut(): void {
    for (const s of this.#open) s.destroy();
  }
  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server!.close(done));
  }

  #take(near: Socket): void {
    if (this.down) return void near.destroy();
    const far = connect(this.#port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.#open.add(from);
      from.on("error", () => undefined);
      this.#relay(from, to, from === far);
    }
  }
  #relay(from: Socket, to: Socket, counted: boolean): void {
    let free = 0;
    from.on("close", () => {
      this.#open.delete(from);
      // what is under way arrives before the end does
      setTimeout(() => to.end(), Math.max(0, free - Date.now()) + this.options.delayMs + 1);
    });
    from.on("data", (bytes) => {
      const { delayMs, rate, cutAfter } = this.options;
      const now = Date.now();
      free = Math.max(free, now) + (rate ? (bytes.length / rate) * 1000 : 0);
      setTimeout(() => to.writable && to.write(bytes), free - now + delayMs);
      if (!counted || !cutAfter) return;
      this.#passed += bytes.length;
      if (this.#passed < cutAfter) return;
      this.#passed = 0;
      this.cuts++;
      setTimeout(() => this.cut(), free - now + delayMs / 2);
    });
  }
}
