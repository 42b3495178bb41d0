// What GET /api/releases and /api/tokens answer (server/insight/sv_export.h, server/web/tokens.c).
export interface Counts {
  told: number;
  new: number;
  gone: number;
}
export interface Changed {
  /** the release that this one is compared with */
  since: string;
  cells: Record<string, Counts>;
  networks: { number: number; name: string; what: "new" | "gone" | "changed" }[];
  measures: { name: string; what: "new" | "gone" }[];
  forms: { form: string; from: number; to: number }[];
}
export interface Release {
  /** "2026-02", of supplements "2026-02.2" */
  id: string;
  month: string;
  made: string;
  breakdowns: string[];
  cells: number;
  told: number;
  hash: string;
  citation: string;
  /** formats by dataset */
  datasets: Record<string, string[]>;
  changed: Changed | null;
}
export interface Releases {
  /** newest first */
  releases: Release[];
}

export interface Token {
  id: string;
  label: string;
  /** names with spaces between; "*" all */
  datasets: string;
  state: "in use" | "expired" | "revoked";
  /** seconds since 1970 */
  created: number;
  expires: number;
  last_used: number | null;
}
export interface Tokens {
  tokens: Token[];
  datasets: string[];
  live_max: number;
  days_max: number;
}
/** Of a token that was just made: the only time that its text is there. */
export interface NewToken extends Token {
  token: string;
}
