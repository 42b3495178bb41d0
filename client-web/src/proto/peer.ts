// Which message is allowed when (PROTOCOL.md section 9). Frames in, messages out; nothing here reads a
// clock or sends anything.
import { fail, isReply } from "./error.ts";
import { packFrame, unpackFrame } from "./frame.ts";
import { LIMITS, type MsgName, PEER, type Role, type State } from "./generated.ts";
import type { Msg } from "./messages.ts";
import { decodeMessage, encodeMessage, typeOf } from "./msg.ts";
import { prescan } from "./mp.ts";
import { type Id, ZERO_ID } from "./name.ts";

/** The state after a message, or undefined when it is not allowed. */
export const nextState = (state: State, from: Role, type: MsgName): State | undefined =>
  PEER[state][from][type];

/** PROTO-40 */
const ends = (state: State, from: Role, m: Msg): boolean =>
  m.type === "ERROR" && !(from === "server" && state === "OPEN" && isReply(m.error));

/** The client's end of a connection. */
export class Peer {
  state: State = "START";
  /** whose DELTA comes; known from WELCOME */
  server: Id = ZERO_ID;

  /** The message of a frame. Throws what the connection must be closed with. */
  receive(frame: Uint8Array): Msg {
    if (frame.length > LIMITS.WS_MESSAGE_BYTES_MAX) fail("limit", "frame");
    const plain = unpackFrame(frame);
    const problem = prescan(plain);
    if (problem) fail(problem);
    const type = typeOf(plain); // looked at before the rest (PROTO-38)
    const next = nextState(this.state, "server", type) ?? fail("state", `${type} in ${this.state}`);
    const m = decodeMessage(plain, this.server);
    this.state = ends(this.state, "server", m) ? "CLOSED" : next;
    return m;
  }
  /** The frame of a message that may be sent now. textEnd: as for packFrame. */
  send(m: Exclude<Msg, { type: "DELTA" }>, plain = encodeMessage(m), textEnd = 0): Uint8Array {
    const next = nextState(this.state, "client", m.type) ?? fail("invalid", `${m.type} in ${this.state}`);
    this.state = ends(this.state, "client", m) ? "CLOSED" : next;
    return packFrame(plain, textEnd);
  }
}
