// The lease: a tablet that has not synced for 14 days, or as many as its organisation says, shows nothing
// until it has. Counted by the server's time; a clock that is set back lengthens nothing.
import type { LeaseRow } from "./db.ts";

const DAY_MS = 86_400_000;
export const LEASE_DAYS = 14;

export interface Lease {
  over: boolean;
  /** whole days left */
  days: number;
}
/** correctedMs: own clock and the last known offset. */
export const renewed = (correctedMs: number): LeaseRow => ({ syncedMs: correctedMs, highMs: correctedMs });
export const seen = (row: LeaseRow, correctedMs: number): LeaseRow => ({
  ...row,
  highMs: Math.max(row.highMs, correctedMs),
});
export function leaseAt(row: LeaseRow, correctedMs: number, days = LEASE_DAYS): Lease {
  const left = row.syncedMs + days * DAY_MS - Math.max(row.highMs, correctedMs);
  return { over: left <= 0, days: Math.max(0, Math.floor(left / DAY_MS)) };
}
