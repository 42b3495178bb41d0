// The part of `ws` that the tests use.
declare module "ws" {
  export default class WebSocket {
    static readonly OPEN: number;
    constructor(url: string, protocol: string, options?: { perMessageDeflate?: boolean });
    readonly readyState: number;
    on(event: "open", f: () => void): void;
    on(event: "error", f: (e: Error) => void): void;
    on(event: "close", f: (code: number) => void): void;
    on(event: "message", f: (data: Buffer, binary: boolean) => void): void;
    send(data: Uint8Array): void;
    close(code?: number): void;
    terminate(): void;
  }
  export class WebSocketServer {
    constructor(options: { port: number; host: string });
    on(event: "connection", f: (ws: WebSocket) => void): void;
    once(event: "listening", f: (nothing?: unknown) => void): void;
    address(): { port: number };
    close(): void;
  }
}
