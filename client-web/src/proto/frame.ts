// Frames: a mode byte and a message, as it is or as raw DEFLATE with preset dictionary 1 (PROTOCOL.md
// section 3).
import {
  Z_DEFAULT_STRATEGY,
  Z_FINISH,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  Z_SYNC_FLUSH,
  ZStream,
  zlibDeflate,
  zlibDeflateInit2,
  zlibDeflateSetDictionary,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateSetDictionary,
} from "pako";
import dictText from "../../../proto/dict/dict1.txt";
import { concat, hex, utf8 } from "./bytes.ts";
import { sha256 } from "./chain.ts";
import { fail } from "./error.ts";
import { DICT1_SHA256, LIMITS } from "./generated.ts";
import { SIG_BYTES } from "./name.ts";

const PLAIN = 0;
const DEFLATED = 1;
const RAW_WINDOW = -15;

let dict: Uint8Array | undefined;
/** Another dictionary would give another window, and so garbage without an error: it is checked once. */
function dictionary(): Uint8Array {
  if (dict) return dict;
  const p = utf8(dictText);
  if (hex(sha256(p)) !== DICT1_SHA256) fail("corrupt", "dictionary 1");
  return (dict = p);
}

function deflate(p: Uint8Array, flush: typeof Z_FINISH | typeof Z_SYNC_FLUSH): Uint8Array {
  const z = new ZStream();
  // true: zlib's own hash, which finds matches of 3 bytes too
  zlibDeflateInit2(z, 9, 8, RAW_WINDOW, 9, Z_DEFAULT_STRATEGY, true);
  zlibDeflateSetDictionary(z, dictionary());
  z.input = p;
  z.next_in = 0;
  z.avail_in = p.length;
  z.output = new Uint8Array(p.length + (p.length >> 3) + 64);
  z.next_out = 0;
  z.avail_out = z.output.length;
  const err = zlibDeflate(z, flush);
  if ((err !== Z_OK && err !== Z_STREAM_END) || z.avail_in || !z.avail_out) fail("invalid", "deflate");
  return z.output.subarray(0, z.next_out);
}

/** The first `end` bytes deflated, the others in a stored block. A sync flush ends with an empty stored
 *  block: its length is changed to that of the rest, and an empty block of fixed codes ends the stream. */
function deflateStart(p: Uint8Array, end: number): Uint8Array {
  const rest = p.subarray(end);
  const start = deflate(p.subarray(0, end), Z_SYNC_FLUSH);
  const length = Uint8Array.of(
    rest.length & 255,
    rest.length >> 8,
    ~rest.length & 255,
    (~rest.length >> 8) & 255,
  );
  return concat(start.subarray(0, start.length - 4), length, rest, Uint8Array.of(3, 0));
}

const frame = (mode: number, body: Uint8Array): Uint8Array => concat(Uint8Array.of(mode), body);

/** The shortest frame that is found. textEnd: where what can be compressed ends, if the caller knows; most
 *  often a signature is the rest. */
export function packFrame(message: Uint8Array, textEnd = 0): Uint8Array {
  if (message.length > LIMITS.FRAME_BYTES_MAX) fail("limit", "message");
  let best = message;
  let mode = PLAIN;
  const tries = [deflate(message, Z_FINISH)];
  for (const end of [textEnd, message.length - SIG_BYTES])
    if (end > 0 && end < message.length) tries.push(deflateStart(message, end));
  for (const body of tries) if (body.length < best.length) [best, mode] = [body, DEFLATED];
  return frame(mode, best);
}

/** Inflates into a buffer of the limit's size and one byte, so that a bomb ends there. */
function inflate(body: Uint8Array, max: number): Uint8Array {
  const z = new ZStream();
  zlibInflateInit2(z, RAW_WINDOW);
  zlibInflateSetDictionary(z, dictionary());
  z.input = body;
  z.next_in = 0;
  z.avail_in = body.length;
  z.output = new Uint8Array(max + 1);
  z.next_out = 0;
  z.avail_out = max + 1;
  const err = zlibInflate(z, Z_NO_FLUSH);
  if (z.next_out > max) fail("limit", "inflated");
  if (err !== Z_STREAM_END || z.avail_in) fail("format", "deflate stream");
  return z.output.slice(0, z.next_out);
}

export function unpackFrame(p: Uint8Array, max: number = LIMITS.FRAME_BYTES_MAX): Uint8Array {
  if (p.length === 0) fail("format", "an empty frame");
  const body = p.subarray(1);
  if (p[0] === DEFLATED) return inflate(body, max);
  if (p[0] !== PLAIN) fail("format", "mode");
  return body.length > max ? fail("limit", "message") : body;
}
