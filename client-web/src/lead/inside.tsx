// The carer's screens at the desk: the engine and what those screens have at hand, for one person.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { App } from "../app/api.ts";
import { AppError } from "../app/api.ts";
import { problemText, useDesk, useTexts } from "../desk/desk.tsx";
import type { Texts } from "../desk/texts.ts";
import { Drafts } from "../ui/drafts.ts";
import { Alert } from "../ui/parts.tsx";
import { Toast } from "../ui/shell.tsx";
import { text } from "../ui/texts.ts";
import { type Saying, type Ui, UiContext, useVersions } from "../ui/ui.tsx";
import { ownApp } from "./own_engine.ts";

const TEXTS = {
  fetching: [
    "De gegevens van uw organisatie worden opgehaald. De eerste keer duurt dat even.",
    "Fetching the data of your organisation. The first time takes a moment.",
  ],
  again: ["Opnieuw proberen", "Try again"],
  over: ["De verbinding van vandaag is voorbij. Verbind opnieuw.", "Today's connection is over. Connect again."],
  unsent: [
    "Nog niet bij de server: {n}. Dat gebeurt vanzelf zodra er verbinding is.",
    "Not at the server yet: {n}. That happens by itself once there is a connection.",
  ],
} as const satisfies Texts;

/** Opens the engine and gives the screens below what they need. */
export function Inside({ children }: { children: ComponentChildren }) {
  const { session, lang, l } = useDesk();
  const t = useTexts(TEXTS);
  const [turn, again] = useState(0);
  const [state, setState] = useState<{ app?: App; drafts?: Drafts; error?: unknown }>({});
  useEffect(() => {
    let wanted = true;
    setState({});
    ownApp(session).then(
      async (app) => {
        const drafts = new Drafts(app);
        await drafts.load();
        if (wanted) setState({ app, drafts });
      },
      (error: unknown) => wanted && setState({ error }),
    );
    return () => {
      wanted = false;
    };
  }, [turn]);
  if (state.error)
    return (
      <Alert type="error" live>
        <p>{state.error instanceof AppError ? state.error.text[lang] : l(problemText(state.error))}</p>
        <button type="button" class="text-button" onClick={() => again((n) => n + 1)}>
          {t("again")}
        </button>
      </Alert>
    );
  if (!state.app || !state.drafts)
    return (
      <p class="loading" role="status">
        {t("fetching")}
      </p>
    );
  return (
    <Opened app={state.app} drafts={state.drafts}>
      {children}
    </Opened>
  );
}

function Opened({ app, drafts, children }: { app: App; drafts: Drafts; children: ComponentChildren }) {
  const { lang, path, me } = useDesk();
  const t = useTexts(TEXTS);
  const versions = useVersions(app);
  const [saying, setSaying] = useState<Saying | null>(null);
  const [settled, setSettled] = useState(app.settings.lang === lang);
  useEffect(() => {
    if (app.settings.lang === lang) return setSettled(true);
    void app.set({ lang }).then(() => setSettled(true));
    return undefined;
  }, [lang]);
  const ui = useMemo<Ui>(
    () => ({
      app,
      lang,
      t: (key, fill) => text(lang, key, fill),
      l: (of) => of[lang],
      path,
      say: setSaying,
      versions,
      team: app.teams()[0] ?? null,
      drafts,
      mayWrite: me.role !== "org_admin",
      mayRead: !app.device.entryOnly,
      minute: Math.floor(Date.now() / 60000),
    }),
    [app, lang, path, me, versions, drafts],
  );
  if (!settled) return null;
  if (app.device.state !== "ready" || !app.person)
    return (
      <Alert type="warning" live>
        <p>{t("over")}</p>
        <button type="button" class="text-button" onClick={() => location.reload()}>
          {t("again")}
        </button>
      </Alert>
    );
  return (
    <UiContext.Provider value={ui}>
      {app.sync.unsent > app.sync.looks && (
        <p class="sub" role="status">
          {t("unsent", { n: app.sync.unsent - app.sync.looks })}
        </p>
      )}
      {children}
      <Toast saying={saying} done={() => setSaying(null)} />
    </UiContext.Provider>
  );
}
