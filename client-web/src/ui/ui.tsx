// What every screen has at hand: the engine, the language, where we are, how to go elsewhere, how to say
// something.
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { AppError, type App, type Change, type Id, type Lang, type Team, type Text } from "../app/api.ts";
import type { Drafts } from "./drafts.ts";
import { text, type Fill, type TextKey } from "./texts.ts";

type SetOf<T> = T extends ReadonlySet<infer E> ? E : never;
export type What = SetOf<Change["what"]>;

export interface Saying {
  text: string;
  /** a button beside it */
  action?: { label: string; run: () => void };
}
export interface Ui {
  app: App;
  lang: Lang;
  t: (key: TextKey, fill?: Fill) => string;
  /** a text of the engine or a schema in the language chosen */
  l: (of: Text) => string;
  /** parts of the hash after #/ */
  path: readonly string[];
  say: (saying: Saying) => void;
  /** counts the changes of each sort, so that what was read is read again */
  versions: Readonly<Partial<Record<What, number>>>;
  /** on which the screens look; null: the tablet has no team yet */
  team: Team | null;
  drafts: Drafts;
  /** who may only look gets no buttons for what the server would hold */
  mayWrite: boolean;
  /** false: new entries only, nothing of what was recorded (device.entryOnly) */
  mayRead: boolean;
  /** a tick a minute, for what depends on the hour */
  minute: number;
}
export const UiContext = createContext<Ui>(null as unknown as Ui);
export const useUi = (): Ui => useContext(UiContext);

/** There is a team here and somebody to work for it, whether or not what was recorded is shown. */
export const isWorking = ({ device }: App): boolean => device.state === "ready" || device.entryOnly;

/** How often each sort has changed since the screen was opened. */
export function useVersions(app: App): Ui["versions"] {
  const [versions, setVersions] = useState<Partial<Record<What, number>>>({});
  useEffect(
    () =>
      app.onChange((change) =>
        setVersions((before) => {
          const after = { ...before };
          for (const what of change.what) after[what] = (after[what] ?? 0) + 1;
          return after;
        }),
      ),
    [app],
  );
  return versions;
}

// -- where we are -----------------------------------------------------------------------------------------

export const href = (...path: (string | number)[]): string =>
  `#/${path.map((p) => encodeURIComponent(p)).join("/")}`;
export function go(...path: (string | number)[]): void {
  location.hash = href(...path);
}
/** Instead of the present page: 'back' does not return to a form that was saved. */
export function replace(...path: (string | number)[]): void {
  history.replaceState(history.state, "", href(...path));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
/** For work that takes time: what it gives goes on as `replace` does, but takes nobody back who went elsewhere
 *  in the meantime. */
export function fromHere(): typeof replace {
  const here = location.hash;
  return (...path) => {
    if (location.hash === here) replace(...path);
  };
}
export function readPath(): string[] {
  const parts = location.hash.replace(/^#\/?/, "").split("/");
  try {
    return parts.map(decodeURIComponent).filter((p) => p !== "");
  } catch {
    return [];
  }
}

/** Nobody works here any more; what was being filled in is kept for who did. */
export function lock({ app, drafts }: Ui): void {
  drafts.flush();
  app.lock();
}

// -- reading ----------------------------------------------------------------------------------------------

export interface Loaded<T> {
  value?: T;
  error?: AppError;
}

/** Reads once, and again after changes of the sorts named. While it reads again, what was read stays. */
export function useLoad<T>(
  load: () => Promise<T>,
  deps: readonly unknown[],
  what: readonly What[] = ["records"],
): Loaded<T> {
  const { versions } = useUi();
  const [result, setResult] = useState<Loaded<T> & { key?: string }>({});
  const key = JSON.stringify(deps);
  useEffect(() => {
    let wanted = true;
    load().then(
      (value) => wanted && setResult({ value, key }),
      (e: unknown) => wanted && setResult({ error: asAppError(e), key }),
    );
    return () => {
      wanted = false;
    };
  }, [key, ...what.map((w) => versions[w])]);
  // of other arguments: not what was asked for
  return result.key === key ? result : {};
}

export function asAppError(e: unknown): AppError {
  if (e instanceof AppError) return e;
  console.error(e);
  const detail = e instanceof Error ? e.message : String(e);
  return new AppError(
    "storage",
    { nl: text("nl", "something_wrong"), en: text("en", "something_wrong") },
    { nl: `${text("nl", "nothing_lost")} (${detail})`, en: `${text("en", "nothing_lost")} (${detail})` },
  );
}

const labelCaches = new WeakMap<App, Map<Id, string>>();
/** Labels of what references point to; those not read yet are absent. */
export function useLabels(ids: readonly Id[]): ReadonlyMap<Id, string> {
  const { app, versions } = useUi();
  const [, again] = useState(0);
  let cache = labelCaches.get(app);
  if (!cache) labelCaches.set(app, (cache = new Map()));
  const known = cache;
  const key = [...new Set(ids)].sort().join(" ");
  useEffect(() => {
    let wanted = true;
    const lacking = [...new Set(ids)].filter((id) => !known.has(id));
    Promise.all(lacking.map(async (id) => known.set(id, (await app.labelOf(id)) ?? id.slice(0, 8)))).then(
      () => wanted && lacking.length && again((n) => n + 1),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [key, versions.people]);
  return cache;
}

/** Runs something that may fail, once at a time; the error to show. */
export function useAction(): {
  busy: boolean;
  error: AppError | null;
  run: (act: () => Promise<void>) => void;
  clear: () => void;
} {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const running = useRef(false);
  const there = useRef(true);
  useEffect(() => () => void (there.current = false), []);
  return useMemo(
    () => ({
      busy,
      error,
      clear: () => setError(null),
      run: (act) => {
        if (running.current) return;
        running.current = true;
        setBusy(true);
        setError(null);
        act()
          .catch((e: unknown) => there.current && setError(asAppError(e)))
          .finally(() => {
            running.current = false;
            if (there.current) setBusy(false);
          });
      },
    }),
    [busy, error],
  );
}

export interface WithChildren {
  children?: ComponentChildren;
}
