// A bad link between browser and server: a TCP relay with delay, a rate, and cuts. Bytes pass in order.
import { type Server, type Socket, connect, createServer } from "node:net";

export interface LinkOptions {
  /** each way, milliseconds */
  delayMs: number;
  /** bytes a second each way; 0: no limit */
  rate: number;
}

export class Link {
  readonly options: LinkOptions;
  /** times that a connection was cut */
  cuts = 0;
  /** bytes that came through, both ways */
  bytes = 0;
  /** nothing passes: no network */
  down = false;
  readonly #port: number;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;

  constructor(port: number, options: LinkOptions) {
    this.#port = port;
    this.options = options;
  }
  /** Listens on an address of the loopback, at the server's own port, which browsers name to it. */
  async open(address: string): Promise<void> {
    this.#server = createServer((near) => this.#take(near));
    await new Promise<void>((done, failed) =>
      this.#server!.once("error", failed).listen(this.#port, address, done),
    );
  }
  cut(): void {
    if (this.#open.size) this.cuts++;
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
      this.#relay(from, to);
    }
  }
  /** One way: what came waits its turn, the end of the connection last. */
  #relay(from: Socket, to: Socket): void {
    const queue: { bytes: Buffer | null; due: number }[] = [];
    let free = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = () => {
      timer = undefined;
      while (queue.length && queue[0].due <= Date.now()) {
        const { bytes } = queue.shift()!;
        if (!bytes) to.end();
        else if (to.writable) to.write(bytes);
        this.bytes += bytes?.length ?? 0;
      }
      if (queue.length) timer = setTimeout(turn, Math.max(1, queue[0].due - Date.now()));
    };
    const put = (bytes: Buffer | null) => {
      const { delayMs, rate } = this.options;
      free = Math.max(free, Date.now()) + (rate && bytes ? (bytes.length / rate) * 1000 : 0);
      queue.push({ bytes, due: free + delayMs });
      timer ??= setTimeout(turn, delayMs);
    };
    from.on("data", put);
    from.on("close", () => {
      this.#open.delete(from);
      put(null);
    });
  }
}
