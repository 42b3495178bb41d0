// The one error dialect: the slugs of PROTOCOL.md section 18, and few local ones that never travel.
import { ERRORS } from "./generated.ts";

export type WireError = keyof typeof ERRORS;
/** Local errors: a caller's argument is out of contract, stored bytes are damaged, a key is missing. */
export type LocalError = "invalid" | "corrupt" | "no_key";
export type ErrorSlug = WireError | LocalError;

export class OvError extends Error {
  readonly slug: ErrorSlug;
  constructor(slug: ErrorSlug, what?: string) {
    super(what ? `${slug}: ${what}` : slug);
    this.name = "OvError";
    this.slug = slug;
  }
}

export function fail(slug: ErrorSlug, what?: string): never {
  throw new OvError(slug, what);
}

const byNumber = new Map<number, WireError>(
  Object.entries(ERRORS).map(([slug, e]) => [e.nr, slug as WireError]),
);

/** undefined: a number that this version does not know; it is treated as class close (section 18). */
export const errorOfNumber = (nr: number): WireError | undefined => byNumber.get(nr);
export const errorNumber = (slug: WireError): number => ERRORS[slug].nr;
/** undefined: a local error, which never travels. */
export const wireNumber = (slug: ErrorSlug): number | undefined =>
  slug in ERRORS ? ERRORS[slug as WireError].nr : undefined;
/** Class *reply*: the connection stays. */
export const isReply = (nr: number): boolean => {
  const slug = byNumber.get(nr);
  return slug !== undefined && ERRORS[slug].close === 0;
};
/** WebSocket close code for an error's number; 1011 for what is local or unknown. */
export const closeCode = (nr: number): number => {
  const slug = byNumber.get(nr);
  return slug === undefined ? 1011 : ERRORS[slug].close || 1000;
};
