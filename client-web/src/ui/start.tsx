// The app on the page: opens the engine, listens to it, and shows the screen that the address names.
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { App, OpenApp, Team } from "../app/api.ts";
import { Drafts } from "./drafts.ts";
import { Alert } from "./parts.tsx";
import { Attention, Double, Settle } from "./screens/attention.tsx";
import { Board, EntryBoard } from "./screens/board.tsx";
import { Client } from "./screens/client.tsx";
import { Enrol, Stopped } from "./screens/enter.tsx";
import { EditEntry, NewEntry } from "./screens/forms.tsx";
import { Handover } from "./screens/handover.tsx";
import { People } from "./screens/people.tsx";
import { Record } from "./screens/record.tsx";
import { Rounds } from "./screens/rounds.tsx";
import { Send } from "./screens/send.tsx";
import { Settings } from "./screens/settings.tsx";
import { Shell } from "./shell.tsx";
import { text } from "./texts.ts";
import { asAppError, go, isWorking, readPath, type Saying, type Ui, UiContext, useUi, useVersions } from "./ui.tsx";
import "./style.css";

/** Shows the app in `root`. What keeps it from opening is said there, too. */
export async function start(root: HTMLElement, open: OpenApp): Promise<void> {
  try {
    const app = await open();
    render(<Root app={app} />, root);
  } catch (e) {
    render(<NoStore error={asAppError(e)} />, root);
  }
}

/** The browser gives no storage: nothing can be kept, so nothing may be entered. */
function NoStore({ error }: { error: ReturnType<typeof asAppError> }) {
  return (
    <main class="main narrow">
      <h1 class="utrecht-heading-1">{text("nl", "no_store_title")}</h1>
      <Alert type="error">
        <p class="strong">{error.text.nl}</p>
        <p>{error.todo.nl}</p>
        <p lang="en">
          {error.text.en} {error.todo.en}
        </p>
      </Alert>
    </main>
  );
}

function Root({ app }: { app: App }) {
  const versions = useVersions(app);
  const path = usePath();
  const [saying, say] = useState<Saying | null>(null);
  const minute = useMinute();
  const drafts = useDrafts(app);
  const { lang } = app.settings;
  const ui = useMemo<Ui | null>(
    () =>
      drafts && {
        app,
        lang,
        t: (key, fill) => text(lang, key, fill),
        l: (of) => of[lang],
        path,
        say,
        versions,
        team: teamOf(app),
        drafts,
        mayWrite: true,
        mayRead: !app.device.entryOnly,
        minute,
      },
    [app, lang, path, versions, drafts, minute],
  );
  useTheme(app.settings.theme);
  useIdleLock(app, drafts);
  useOwnPlace(app);
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  // another screen begins at its top
  const place = path.join("/");
  useEffect(() => scrollTo(0, 0), [place, app.person?.id]);
  // nobody takes back what somebody else did
  useEffect(() => say(null), [app.person?.id]);
  if (!ui) return null;
  return (
    <UiContext.Provider value={ui}>
      <Shell saying={saying} said={() => say(null)}>
        <Screen key={`${place} ${app.person?.id ?? ""}`} path={path} />
      </Shell>
    </UiContext.Provider>
  );
}

function Screen({ path }: { path: readonly string[] }) {
  const { app, team, mayRead } = useUi();
  const state = app.device.state;
  if (state === "new" || state === "store_lost") return <Enrol />;
  if (!isWorking(app) || (!mayRead && !team)) return <Stopped />;
  if (path[0] === "send") return <Send />;
  if (!app.person) return <People />;
  return <Inside path={path} />;
}

/** Screens of somebody signed in: those of new entries, and those of what was recorded. */
function Inside({ path }: { path: readonly string[] }) {
  const { mayRead } = useUi();
  const [what, first, second] = path;
  switch (what) {
    case "client":
      return <Client id={first ?? ""} />;
    case "new":
      return <NewEntry kindName={first ?? ""} clientId={second ?? ""} />;
    case "rounds":
      return <Rounds />;
    default:
      return mayRead ? <Recorded path={path} /> : <EntryBoard />;
  }
}
function Recorded({ path }: { path: readonly string[] }) {
  const [what, first, second] = path;
  switch (what) {
    case "edit":
      return <EditEntry id={first ?? ""} heldIndex={second === undefined ? null : Number(second)} />;
    case "record":
      return <Record id={first ?? ""} />;
    case "settle":
      return <Settle id={first ?? ""} />;
    case "double":
      return <Double id={first ?? ""} />;
    case "handover":
      return <Handover />;
    case "attention":
      return <Attention />;
    case "settings":
      return <Settings />;
    default:
      return <Board />;
  }
}

const teamOf = (app: App): Team | null => {
  const teams = app.teams();
  return teams.find((one) => one.id === app.settings.team) ?? teams[0] ?? null;
};

/** Drafts of who is signed in; null while they are read. When the tablet opens there may be more of them. */
function useDrafts(app: App): Drafts | null {
  const drafts = useMemo(() => new Drafts(app), [app]);
  const person = app.person?.id ?? null;
  const { entryOnly } = app.device;
  const [read, setRead] = useState<{ of: string | null }>({ of: null });
  useEffect(() => {
    const done = () => setRead({ of: person }); // drawn anew, as the board tells of more of them
    drafts.load().then(done, done);
  }, [person, entryOnly]);
  useEffect(() => {
    const flush = () => drafts.flush();
    addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", flush);
    return () => {
      removeEventListener("pagehide", flush);
      document.removeEventListener("visibilitychange", flush);
    };
  }, [drafts]);
  return read.of === person ? drafts : null;
}

function usePath(): readonly string[] {
  const [path, setPath] = useState<readonly string[]>(readPath);
  useEffect(() => {
    const changed = () => setPath(readPath());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return path;
}

function useMinute(): number {
  const minute = () => Math.floor(Date.now() / 60000);
  const [now, setNow] = useState(minute);
  useEffect(() => {
    const timer = setInterval(() => setNow(minute()), 5000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function useTheme(chosen: App["settings"]["theme"]): void {
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const put = () => {
      const theme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
      document.documentElement.dataset.theme = theme;
    };
    put();
    system.addEventListener("change", put);
    return () => system.removeEventListener("change", put);
  }, [chosen]);
}

/** A tablet that lies there locks itself. */
function useIdleLock(app: App, drafts: Drafts | null): void {
  useEffect(() => {
    let touched = Date.now();
    const touch = () => (touched = Date.now());
    const events = ["pointerdown", "keydown", "scroll"] as const;
    for (const event of events) addEventListener(event, touch, { passive: true });
    const timer = setInterval(() => {
      if (app.person && Date.now() - touched > app.settings.idleLockS * 1000) {
        drafts?.flush();
        app.lock();
      }
    }, 2000);
    return () => {
      for (const event of events) removeEventListener(event, touch);
      clearInterval(timer);
    };
  }, [app, drafts]);
}

/** Who comes back after a lock is where they were; the next carer begins at the team. */
function useOwnPlace(app: App): void {
  const last = useRef<string | null>(app.person?.id ?? null);
  const person = app.person?.id ?? null;
  useEffect(() => {
    if (person === null) return;
    if (last.current !== null && last.current !== person) go();
    last.current = person;
  }, [person]);
}
