/* One writer's log, cloned onto two tablets and synced with one or two servers over links that break
 * anywhere; servers crash and are restored from a backup. HELLO, WELCOME, PUSH, ACK and ERROR as PROTOCOL.md
 * has them, a fork, a rollback, receipts.
 * Left out: what ops say, records, DELTAs, signatures, the challenge, credit.
 *
 * The log's ops and who writes them (an arrow leads to the op that follows in the chain):
 *
 *          ┌─► 1 ─► 2      tablet 0: 0 1 2
 *     0 ───┤
 *          └─► 3 ─► 4      tablet 1, the clone: 0 3 4
 *
 * A set of ops is a bit mask. A server keeps of an op that it exists (has), its payload unless it came as a
 * void (paid), and the verdict of its receipt (held; judged once).
 *
 * Checked in every reachable state:
 *   P1  the payload of an acknowledged op is on a server, in a backup or on a tablet
 *   P2  when a tablet takes an ACK, every op that it covers is on that server's disk
 *   P3  when nothing moves any more, no tablet waits, and every op of both branches is on every server
 *   P4  that end is reached whatever broke, crashed and was restored: no cycle without a finished session
 *   P5  an op that is pushed again keeps its verdict; servers that exchange their receipts agree
 *
 * Variants that must fail: ACK_BEFORE_COMMIT (P2), FORK_OVERWRITES (last write wins: P1 or P3),
 * DROP_AT_ACK (P1). */

#ifndef SERVERS
#define SERVERS 1
#endif
#ifndef BREAKS
#define BREAKS 2 /* links that break in the middle of a session */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RESTORES
#define RESTORES 1
#endif
#ifndef BACKUPS
#define BACKUPS 1
#endif
#ifndef EXCHANGES
#define EXCHANGES (SERVERS - 1) /* all ops and receipts of each server go to the other */
#endif
#ifndef LENGTH_0
#define LENGTH_0 3 /* of the tablets' logs, at most 3 */
#endif
#ifndef LENGTH_1
#define LENGTH_1 2
#endif
#define LENGTH(t) ((t) == 0 -> LENGTH_0 : LENGTH_1)
#define NONE 7    /* head(0), which every server knows */
#define UNKNOWN 6 /* a head that fits nothing */

mtype = { HELLO, PUSH, WELCOME_SAME, WELCOME_TIPS, ACK, REFUSED };

/* To the server: type, seq before the first op (HELLO: of the own head), last seq, says the head before. */
chan up[2] = [3] of { mtype, byte, byte, bool };
/* To the tablet: type, heads (ACK: up to which seq), safe up to which seq. */
chan down[2] = [4] of { mtype, byte, byte };

byte breaks_left = BREAKS, crashes_left = CRASHES, restores_left = RESTORES;
byte backups_left = BACKUPS, exchanges_left = EXCHANGES;

/* Servers: on disk. */
byte has[SERVERS], paid[SERVERS], judged[SERVERS], held[SERVERS];
byte kept_has[SERVERS], kept_paid[SERVERS], kept_judged[SERVERS], kept_held[SERVERS]; /* the last backup */
/* Sessions: gone when the link is. */
byte server_of[2];
bool linked[2], in_commit[2];
byte place_seq[2], place_head[2]; /* the head before the next PUSH, as the server's session knows it */

/* Tablets: on disk. */
byte written[2], acked[2], dropped[2];
bool forked[2], idle[2];
bool complete[4]; /* 2 * server + tablet: all is written and was synced since that server's last restore */
byte promised;    /* ops that some tablet has an ACK for */

#define IN(op, set) (((set) >> (op)) & 1)
#define KNOWN(op, set) ((op) == NONE || ((op) != UNKNOWN && IN(op, set)))
#define OP(t, seq) ((seq) == 0 -> NONE : ((seq) == 1 -> 0 : ((seq) - 1 + 2 * (t))))
#define LOG_1(n) (1 | (((n) > 1) << 3) | (((n) > 2) << 4))
#define LOG(t, n) ((n) == 0 -> 0 : ((t) == 0 -> ((1 << (n)) - 1) : LOG_1(n)))
/* Stored heads that nothing stored follows; and the ladder down the longest branch. */
#define TIP(op, child, set) (IN(op, set) & (1 - IN(child, set)))
#define TIPS(set) \
  ((IN(0, set) & (1 - IN(1, set)) & (1 - IN(3, set))) | (TIP(1, 2, set) << 1) | (IN(2, set) << 2) | \
   (TIP(3, 4, set) << 3) | (IN(4, set) << 4))
#define LADDER(set) \
  (((IN(4, set) && !IN(2, set)) || (IN(3, set) && !IN(1, set))) -> ((set) & 25) : ((set) & 7))
#if SERVERS == 2
#define ON_SERVERS (paid[0] | kept_paid[0] | paid[1] | kept_paid[1])
#define EVERYWHERE (has[0] & has[1])
#else
#define ON_SERVERS (paid[0] | kept_paid[0])
#define EVERYWHERE has[0]
#endif
#define ON_TABLETS ((LOG(0, written[0]) & ~LOG(0, dropped[0])) | (LOG(1, written[1]) & ~LOG(1, dropped[1])))
#define NOTHING_LOST ((promised & ~(ON_SERVERS | ON_TABLETS)) == 0)
#define ALL_WRITTEN(t) (written[t] == LENGTH(t) || forked[t])
/* How far a backup of server s holds this tablet's log with its payloads. */
#define SAFE(t, s) \
  (!IN(0, kept_paid[s]) -> 0 : (!IN(OP(t, 2), kept_paid[s]) -> 1 : (!IN(OP(t, 3), kept_paid[s]) -> 2 : 3)))

inline hang_up(t) {
  linked[t] = false;
  in_commit[t] = false;
  server_of[t] = 0;
  place_seq[t] = 0;
  place_head[t] = 0;
  do
  :: up[t] ? _, _, _, _
  :: down[t] ? _, _, _
  :: empty(up[t]) && empty(down[t]) -> break
  od
}

/* -- server ---------------------------------------------------------------------------------------------- */

inline all_hang_up(s) {
  if
  :: linked[0] && server_of[0] == s -> hang_up(0)
  :: else
  fi;
  if
  :: linked[1] && server_of[1] == s -> hang_up(1)
  :: else
  fi
}

inline crash(s) {
  crashes_left > 0 -> crashes_left--;
  all_hang_up(s)
}

inline answer_hello(s, t) {
  up[t] ? HELLO, before, last, says;
  head = OP(t, before);
  place_seq[t] = before;
  place_head[t] = head;
  if
  :: KNOWN(head, has[s]) -> /* alone as a tip it needs no words; other tips tell of a double */
     down[t] ! WELCOME_SAME, (head != NONE && TIPS(has[s]) == (1 << head) -> 0 : TIPS(has[s])), SAFE(t, s)
  :: else -> down[t] ! WELCOME_TIPS, (TIPS(has[s]) | LADDER(has[s])), SAFE(t, s)
  fi
}

inline take_push(s, t) {
  up[t] ? PUSH, before, last, says;
  if
  :: says -> head = OP(t, before)
  :: !says && before == place_seq[t] -> head = place_head[t]
  :: !says && before != place_seq[t] -> head = UNKNOWN
  fi;
  if
  :: KNOWN(head, has[s]) -> in_commit[t] = true
  :: else -> down[t] ! REFUSED, (TIPS(has[s]) | LADDER(has[s])), 0
  fi
}

/* An op into the store. It is judged on its first arrival only, whatever the judgement would be now. Verdicts
 * do not meet each other, so one op with two possible ones stands for all. */
inline store_op(s, t, op, with_payload) {
#ifdef FORK_OVERWRITES
  if
  :: op == 1 -> has[s] = has[s] & 7; paid[s] = paid[s] & 7
  :: op == 3 -> has[s] = has[s] & 25; paid[s] = paid[s] & 25
  :: else
  fi;
#endif
  if
  :: IN(op, judged[s])
  :: !IN(op, judged[s]) -> judged[s] = judged[s] | (1 << op)
  :: op == 0 && !IN(op, judged[s]) -> judged[s] = judged[s] | 1; held[s] = 1
  fi;
  has[s] = has[s] | (1 << op);
  paid[s] = paid[s] | (with_payload << op) /* may fill what came as a void */
}

inline commit(s, t) {
  old_judged = judged[s];
  old_held = held[s];
  seq = before + 1;
  do
  :: seq <= last -> store_op(s, t, OP(t, seq), (seq > dropped[t])); seq++
  :: seq > last -> break
  od;
  assert((held[s] & old_judged) == old_held); /* P5 */
  assert(NOTHING_LOST);                       /* P1 */
  old_judged = 0;
  old_held = 0;
  seq = 0
}

inline say_ack(s, t) {
  place_seq[t] = last;
  place_head[t] = OP(t, last);
  down[t] ! ACK, last, SAFE(t, s)
}

inline back_up(s) {
  backups_left > 0 && kept_paid[s] != paid[s] -> backups_left--;
  kept_has[s] = has[s];
  kept_paid[s] = paid[s];
  kept_judged[s] = judged[s];
  kept_held[s] = held[s]
}

/* The disk is lost, the last backup takes its place. */
inline restore(s) {
  restores_left > 0 && has[s] != kept_has[s] -> restores_left--;
  has[s] = kept_has[s];
  paid[s] = kept_paid[s];
  judged[s] = kept_judged[s];
  held[s] = kept_held[s];
  complete[2 * s] = false;
  complete[2 * s + 1] = false;
  all_hang_up(s);
  assert(NOTHING_LOST) /* P1 */
}

#if SERVERS == 2
inline exchange() {
  exchanges_left > 0 && has[0] != has[1] -> exchanges_left--;
  has[0] = has[0] | has[1];
  paid[0] = paid[0] | paid[1];
  judged[0] = judged[0] | judged[1];
  held[0] = held[0] | held[1]; /* held stands over applied */
  has[1] = has[0];
  paid[1] = paid[0];
  judged[1] = judged[0];
  held[1] = held[0]
}
#endif

/* A link that breaks in the middle stops no commit, a crash does: before it, or between it and the ACK. */
inline commit_and_answer(s, t) {
  if
  :: in_commit[t] ->
     if
     :: commit(s, t);
        if
        :: say_ack(s, t)
        :: crash(s)
        fi
     :: crash(s)
     fi
  :: else
  fi;
  in_commit[t] = false
}

#define MAY_HEAR(s, t) (linked[t] && server_of[t] == s && nfull(down[t]))

inline forget_message() {
  before = 0;
  last = 0;
  head = 0;
  says = false
}

proctype server(byte s) {
  byte before, last, head, seq, old_judged, old_held;
  bool says;
#ifdef ACK_BEFORE_COMMIT
  byte t;
#endif
end_listening:
  do
  :: atomic { MAY_HEAR(s, 0) && up[0] ? [HELLO, _, _, _] -> answer_hello(s, 0); forget_message() }
  :: atomic { MAY_HEAR(s, 1) && up[1] ? [HELLO, _, _, _] -> answer_hello(s, 1); forget_message() }
#ifndef ACK_BEFORE_COMMIT
  :: atomic {
       MAY_HEAR(s, 0) && up[0] ? [PUSH, _, _, _] -> take_push(s, 0); commit_and_answer(s, 0); forget_message()
     }
  :: atomic {
       MAY_HEAR(s, 1) && up[1] ? [PUSH, _, _, _] -> take_push(s, 1); commit_and_answer(s, 1); forget_message()
     }
#else
  :: atomic { MAY_HEAR(s, 0) && up[0] ? [PUSH, _, _, _] -> t = 0; take_push(s, 0) };
     goto committing
  :: atomic { MAY_HEAR(s, 1) && up[1] ? [PUSH, _, _, _] -> t = 1; take_push(s, 1) };
     goto committing
#endif
  :: atomic { crash(s) }
  :: atomic { back_up(s) }
  :: atomic { restore(s) }
#if SERVERS == 2
  :: atomic { exchange() }
#endif
  od;
#ifdef ACK_BEFORE_COMMIT
committing:
  if
  :: !in_commit[t]
  :: in_commit[t] ->
     atomic { say_ack(s, t) };
     if
     :: atomic { commit(s, t) }
     :: atomic { crash(s) }
     fi
  fi;
  atomic { in_commit[t] = false; t = 0; forget_message(); goto end_listening }
#endif
}

/* -- tablet ---------------------------------------------------------------------------------------------- */

inline greet(to) {
  !complete[2 * to + t] && written[t] > 0 ->
  idle[t] = false;
  server_of[t] = to;
  linked[t] = true;
  next = acked[t] + 1;
  up[t] ! HELLO, acked[t], 0, false
}

/* A stored head that is not in our log is a double's: no more is written to this log, but all of it is handed
 * over. */
inline look_for_double(heads) {
  if
  :: (heads & ~LOG(t, written[t])) -> forked[t] = true
  :: else
  fi
}

/* The highest head that both have; everything behind it is offered again. */
inline find_place(heads) {
  look_for_double(heads);
  place = written[t];
  do
  :: place > 0 && !IN(OP(t, place), heads) -> place--
  :: else -> break
  od;
  if
  :: place < acked[t] -> acked[t] = place
  :: else
  fi;
  next = place + 1;
  place = 0;
  says = true;
  stale = flying
}

inline take_ack(upto) {
  assert((LOG(t, upto) & ~has[server_of[t]]) == 0); /* P2 */
  flying--;
  promised = promised | LOG(t, upto);
  if
  :: upto > acked[t] -> acked[t] = upto
  :: else
  fi;
  if
  :: stale > 0 -> stale--
  :: stale == 0 && next <= acked[t] -> next = acked[t] + 1
  :: else
  fi;
#ifdef DROP_AT_ACK
  dropped[t] = acked[t]
#endif
}

inline take_refusal(heads) {
  flying--;
  if
  :: stale > 0 -> stale--
  :: else -> find_place(heads)
  fi
}

inline push_up_to(upto) {
  up[t] ! PUSH, next - 1, upto, says;
  flying++;
  next = upto + 1;
  says = false
}

inline forget_session() {
  next = 0;
  flying = 0;
  stale = 0;
  heads = 0;
  safe = 0;
  told = 0;
  welcomed = false;
  says = false
}

/* Years may pass: what is safe may be dropped, in a session whose WELCOME or ACK said so. */
inline finish() {
  complete[2 * server_of[t] + t] = ALL_WRITTEN(t);
  hang_up(t);
  if
  :: safe > dropped[t] -> dropped[t] = (safe < acked[t] -> safe : acked[t])
  :: skip
  fi;
  assert(NOTHING_LOST) /* P1 */
}

#define MAY_PUSH (linked[t] && flying < 2 && stale == 0 && nfull(up[t]))

proctype tablet(byte t) {
  byte next, flying, stale, heads, safe, told, place;
  bool welcomed, says;
end_idle:
  atomic { forget_session(); idle[t] = true };
end_waiting:
  do
  :: atomic { !ALL_WRITTEN(t) -> written[t]++ }
  :: atomic { greet(0) -> break }
#if SERVERS == 2
  :: atomic { greet(1) -> break }
#endif
  od;
  do
  :: atomic { !linked[t] -> goto end_idle }
  :: atomic { linked[t] && breaks_left > 0 -> breaks_left--; hang_up(t); goto end_idle }
  :: atomic { MAY_PUSH && next <= written[t] -> push_up_to(next) }
  :: atomic { MAY_PUSH && next < written[t] -> push_up_to(written[t]) }
  :: atomic { down[t] ? WELCOME_SAME, heads, safe -> welcomed = true; look_for_double(heads); heads = 0 }
  :: atomic { down[t] ? WELCOME_TIPS, heads, safe -> welcomed = true; find_place(heads); heads = 0 }
  :: atomic { down[t] ? ACK, told, safe -> take_ack(told); told = 0 }
  :: atomic { down[t] ? REFUSED, heads, told -> take_refusal(heads); heads = 0 }
  :: atomic { linked[t] && welcomed && next > written[t] && flying == 0 -> finish() };
progress_finished:
     goto end_idle
  od
}

/* -- the end --------------------------------------------------------------------------------------------- */

proctype quiet() {
end_watching:
  timeout ->
    assert(idle[0] && idle[1]);
    assert(((LOG(0, written[0]) | LOG(1, written[1])) & ~EVERYWHERE) == 0); /* P3 */
    assert(ALL_WRITTEN(0) && ALL_WRITTEN(1));
    assert(NOTHING_LOST)
}

init {
  atomic {
    written[0] = 1;
    written[1] = 1;
    if
    :: skip /* cloned before the first sync, or after it */
    :: has[0] = 1; paid[0] = 1; judged[0] = 1; acked[0] = 1; acked[1] = 1; promised = 1
    fi;
    run server(0);
#if SERVERS == 2
    run server(1);
#endif
    run tablet(0);
    run tablet(1);
    run quiet()
  }
}
