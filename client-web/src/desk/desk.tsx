// What every screen at the desk has at hand: who is signed in, the language, where we are.
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Lang, Text } from "../app/api.ts";
import { ApiError, type Me, type Session } from "./session.ts";
import { type Fill, FRAME, say, type Texts } from "./texts.ts";

export interface Desk {
  session: Session;
  me: Me;
  lang: Lang;
  /** parts of the hash after #/ */
  path: readonly string[];
  l: (of: Text) => string;
}
export const DeskContext = createContext<Desk>(null as unknown as Desk);
export const useDesk = (): Desk => useContext(DeskContext);

/** Texts of a screen in the language chosen. */
export function useTexts<T extends Texts>(texts: T): (key: keyof T & string, fill?: Fill) => string {
  const { lang } = useDesk();
  return (key, fill) => say(texts, lang, key, fill);
}

export const problemText = (e: unknown): Text =>
  e instanceof ApiError
    ? e.text
    : { nl: "Er ging iets mis op deze pagina.", en: "Something went wrong on this page." };

export interface Asked<T> {
  value?: T;
  error?: unknown;
  again: () => void;
}
/** Asks the server once for each path; while it asks again, what was there stays. null: nothing to ask. */
export function useAsk<T>(path: string | null): Asked<T> {
  const { session } = useDesk();
  const [turn, again] = useState(0);
  const [state, setState] = useState<{ path?: string; value?: T; error?: unknown }>({});
  useEffect(() => {
    if (path === null) return undefined;
    let wanted = true;
    session.get<T>(path).then(
      (value) => wanted && setState({ path, value }),
      (error: unknown) => wanted && setState({ path, error }),
    );
    return () => {
      wanted = false;
    };
  }, [path, turn]);
  const of = state.path === path ? state : {};
  return { value: of.value, error: of.error, again: () => again((n) => n + 1) };
}

/** Runs one thing at a time; what went wrong is there to be shown. */
export function useWork(): { busy: boolean; error: unknown; run: (work: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const there = useRef(true);
  useEffect(() => () => void (there.current = false), []);
  return {
    busy,
    error,
    run: (work) => {
      if (busy) return;
      setBusy(true);
      setError(null);
      work()
        .catch((e: unknown) => there.current && setError(e ?? "?"))
        .finally(() => there.current && setBusy(false));
    },
  };
}

/** A part of the app that is fetched when it is first wanted. */
export function useModule<T>(load: () => Promise<T>): Asked<T> {
  const [turn, again] = useState(0);
  const [state, setState] = useState<{ value?: T; error?: unknown }>({});
  useEffect(() => {
    load().then(
      (value) => setState({ value }),
      (error: unknown) => setState({ error }),
    );
  }, [turn]);
  return { ...state, again: () => again((n) => n + 1) };
}

export const frameText = (lang: Lang, key: keyof typeof FRAME, fill?: Fill): string =>
  say(FRAME, lang, key, fill);
