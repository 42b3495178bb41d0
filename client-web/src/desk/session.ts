// Who is signed in on this page, and every question that it asks over HTTP. The cookie is the browser's
// alone; beside it each call carries a value that only this tab knows, so that a cookie alone opens nothing.
import type { Text } from "../app/api.ts";

export type Role =
  | "care_staff"
  | "project_lead"
  | "expert"
  | "org_admin"
  | "researcher"
  | "programme_admin"
  | "privacy_officer";

export interface Me {
  /** record of the person, as the protocol writes names */
  person: string;
  name: string;
  role: Role;
  organisation: { id: string; name: string };
  teams: number[];
  /** teams of the organisation that are beyond what one browser follows */
  teams_unseen?: number;
}

/** What the server answered instead of what was asked, fit to be shown. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** stable: "sign-in-failed", …; "offline" when no answer came */
    readonly code: string,
    readonly text: Text,
    readonly retryS: number,
  ) {
    super(`${status} ${code}`);
  }
}

const OFFLINE: Text = {
  nl: "De server antwoordt niet. Kijk of er internet is en probeer het opnieuw.",
  en: "The server does not answer. See whether there is a network, then try again.",
};
const KEPT = "overdracht-desk-session";
/** Beside it once the server has ended the session, so that a reload still says why one has to sign in. */
const ENDED = "overdracht-desk-ended";
/** Answers after which this tab is signed out. */
const OUT = new Set(["signed-out", "csrf-missing"]);

interface Kept {
  csrf: string;
  me: Me;
}

/** The second step of signing in. */
export interface Ticket {
  ticket: string;
}

export class Session {
  #kept: Kept | null = read();
  readonly #listeners = new Set<() => void>();
  readonly #atEnd: (() => Promise<void>)[] = [];

  get me(): Me | null {
    return this.#kept?.me ?? null;
  }
  /** Nobody is signed in, because the server ended the session of this tab. */
  get ended(): boolean {
    try {
      return !this.#kept && sessionStorage.getItem(ENDED) !== null;
    } catch {
      return false;
    }
  }
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Runs once when this session ends, by whomever. */
  onEnd(leave: () => Promise<void>): void {
    this.#atEnd.push(leave);
  }
  async #leave(): Promise<void> {
    await Promise.allSettled(this.#atEnd.splice(0).map((leave) => leave()));
  }
  #keep(kept: Kept | null, ended = false): void {
    this.#kept = kept;
    if (!kept) void this.#leave();
    try {
      // survives a reload of this tab, and ends with it
      if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept));
      else sessionStorage.removeItem(KEPT);
      if (ended) sessionStorage.setItem(ENDED, "1");
      else sessionStorage.removeItem(ENDED);
    } catch {
      // then a reload asks for the password again
    }
    for (const l of [...this.#listeners]) l();
  }

  signIn(login: string, password: string): Promise<Ticket> {
    return this.post<Ticket>("/api/sign-in", { login, password: typed(password) });
  }
  /** Everybody else who is signed in as this person is out then; gives how many those were. */
  async changePassword(now: string, next: string, code: string): Promise<number> {
    const body = { password: typed(now), new: typed(next), code };
    return (await this.post<{ sessions_ended: number }>("/api/password", body)).sessions_ended;
  }
  /** code: of the authenticator, or a recovery code. Gives how many of those are left, if one was used. */
  async enterCode(ticket: Ticket, code: string): Promise<number | null> {
    const answer = await this.post<Kept & { used_recovery_code: boolean; recovery_codes_left: number }>(
      "/api/sign-in/totp",
      { ticket: ticket.ticket, code },
    );
    this.#keep({ csrf: answer.csrf, me: answer.me });
    return answer.used_recovery_code ? answer.recovery_codes_left : null;
  }
  async signOut(): Promise<void> {
    await this.#leave();
    try {
      await this.post("/api/sign-out", {});
    } catch {
      // it ends by itself after half an hour
    }
    this.#keep(null);
  }
  /** Is this tab's session still good? Renews who is signed in. */
  async look(): Promise<void> {
    if (!this.#kept) return;
    const me = await this.get<Me>("/api/me").catch(() => null);
    if (me && this.#kept) this.#keep({ ...this.#kept, me });
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>(path, { method: "GET" });
  }
  post<T = unknown>(path: string, body: unknown): Promise<T> {
    return this.#ask<T>(path, { method: "POST", body: JSON.stringify(body) });
  }
  /** A file, as it is. */
  async file(path: string): Promise<Blob> {
    return (await this.#fetch(path, { method: "GET" })).blob();
  }
  async #ask<T>(path: string, init: RequestInit): Promise<T> {
    const answer = await this.#fetch(path, init);
    return (await answer.json().catch(() => ({}))) as T;
  }
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers: Record<string, string> = { "X-Overdracht": "1" };
    if (this.#kept) headers["X-Overdracht-CSRF"] = this.#kept.csrf;
    if (init.body) headers["Content-Type"] = "application/json";
    let answer: Response;
    try {
      answer = await fetch(path, { ...init, headers, credentials: "same-origin", redirect: "error" });
    } catch {
      throw new ApiError(0, "offline", OFFLINE, 0);
    }
    if (answer.ok) return answer;
    const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    const code = typeof body.code === "string" ? body.code : "server";
    const text: Text = {
      nl: typeof body.nl === "string" ? body.nl : "Er ging iets mis bij de server.",
      en: typeof body.en === "string" ? body.en : "Something went wrong at the server.",
    };
    if (OUT.has(code) && this.#kept) this.#keep(null, true);
    throw new ApiError(answer.status, code, text, Number(body.retry_after_s ?? 0));
  }
}

/** Keyboards make one letter with an accent, or a letter and an accent: the same password. */
const typed = (password: string): string => password.normalize("NFC");

function read(): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
    return kept && typeof kept.csrf === "string" && typeof kept.me?.person === "string" ? kept : null;
  } catch {
    return null;
  }
}
