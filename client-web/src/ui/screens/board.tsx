// The team: who is there, what is still open in this shift; or only for whom an entry can be made.
import type { Client } from "../../app/api.ts";
import { Icon } from "../icons.tsx";
import { hintsOf, ROUNDS } from "../kinds.ts";
import { Alert, Avatar, Badge, Button, ErrorAlert, Loading, NoticeAlert, Title, classes } from "../parts.tsx";
import { isNight, openLines, type OpenLine, shiftAt } from "../shifts.ts";
import { counted } from "../texts.ts";
import { href, useLoad, useUi } from "../ui.tsx";
import { shortDay } from "../format.ts";
import { EntryOnly } from "./enter.tsx";
import { TeamChoice } from "./team.tsx";
import { EndShift, Warnings } from "./send.tsx";

const GREETING = [
  [6, "board_greeting_night"],
  [12, "board_greeting_morning"],
  [18, "board_greeting_day"],
  [24, "board_greeting_evening"],
] as const;
const SHIFT = { night: "shift_night", day: "shift_day", evening: "shift_evening" } as const;

/** What stands above the clients. */
function Head() {
  const { app, t, lang } = useUi();
  const { clock } = app;
  const now = clock.now();
  const minutes = clock.minutes(now);
  const greeting = GREETING.find(([until]) => minutes < until * 60)![1];
  const sub = `${t(SHIFT[shiftAt(minutes)])} · ${shortDay(lang, clock.day(now))}`;
  return (
    <>
      <Title sub={sub}>{t(greeting, { name: app.person!.name })}</Title>
      <EntryOnly />
      <TeamChoice />
      <UpdateReady />
      {app.sync.error && app.device.mustUpdate && <NoticeAlert notice={app.sync.error} />}
      <Unfinished />
    </>
  );
}

function RoundsLink() {
  const { app, t } = useUi();
  if (!app.kind(ROUNDS)) return null;
  const now = isNight(app.clock.minutes(app.clock.now()));
  return (
    <a href={href("rounds")} class={classes("quick-link", now && "now")}>
      <Icon name="eye" />
      <span>{t("rounds")}</span>
    </a>
  );
}

/** Nothing of what was recorded is shown: for whom an entry can be made, and nothing of what is open. */
export function EntryBoard() {
  const { app, t, team } = useUi();
  const clients = useLoad(async () => (team ? app.clients(team.id) : []), [team?.id], ["people"]);
  return (
    <>
      <Head />
      <nav class="quick" aria-label={t("main_menu")}>
        <RoundsLink />
      </nav>
      <div class="section-head">
        <h2 class="utrecht-heading-2">{t("board_clients")}</h2>
      </div>
      <ErrorAlert error={clients.error} />
      {!clients.value && !clients.error && <Loading />}
      {clients.value?.length === 0 && (
        <Alert type="info">
          <p>{t("board_none")}</p>
        </Alert>
      )}
      <ul class="grid">
        {clients.value?.map((client) => (
          <li key={client.id}>
            <ClientCard client={client} />
          </li>
        ))}
      </ul>
      {clients.value && <EndShift />}
    </>
  );
}

export function Board() {
  const { app, t, lang, team, minute } = useUi();
  const lines = useLoad(
    async () => (team ? openLines(app, team) : []),
    [team?.id, minute],
    ["records", "kinds", "people"],
  );
  const open = lines.value?.filter((line) => line.open.length).length ?? 0;
  return (
    <>
      <Head />
      <nav class="quick" aria-label={t("main_menu")}>
        <RoundsLink />
        <a href={href("handover")} class="quick-link">
          <Icon name="handover" />
          <span>{t("handover")}</span>
        </a>
        <a href={href("attention")} class="quick-link">
          <Icon name="warning" />
          <span>
            {t("attention")}
            {app.sync.attention > 0 && <span class="number-badge"> {app.sync.attention}</span>}
          </span>
        </a>
        <a href={href("settings")} class="quick-link">
          <Icon name="gear" />
          <span>{t("settings")}</span>
        </a>
      </nav>
      <div class="section-head">
        <h2 class="utrecht-heading-2">{t("board_clients")}</h2>
        {lines.value && lines.value.length > 0 && (
          <span class={classes("open-count", open === 0 && "all")}>
            {open ? counted(lang, "board_open_one", "board_open_more", open) : t("board_all_done")}
          </span>
        )}
      </div>
      <ErrorAlert error={lines.error} />
      {!lines.value && !lines.error && <Loading />}
      {lines.value?.length === 0 && (
        <Alert type="info">
          <p>{t("board_none")}</p>
        </Alert>
      )}
      <ul class="grid">
        {lines.value?.map((line) => (
          <li key={line.client.id}>
            <ClientCard client={line.client} line={line} />
          </li>
        ))}
      </ul>
      <Warnings />
      {lines.value && <EndShift />}
    </>
  );
}

function ClientCard({ client, line }: { client: Client; line?: OpenLine }) {
  return (
    <a class="card client" href={href("client", client.id)}>
      <Avatar name={client.label} />
      <span class="card-words">
        <span class="card-name">{client.label}</span>
        {line && <CardLines line={line} />}
      </span>
      <Icon name="next" />
    </a>
  );
}
function CardLines({ line }: { line: OpenLine }) {
  const { t, l, lang } = useUi();
  return (
    <span class="card-lines">
      {line.open.map((kind) => (
        <Badge key={kind.id} type="warning" icon={hintsOf(kind).icon}>
          {t("board_open", { kind: l(kind.label) })}
        </Badge>
      ))}
      {line.attention && (
        <Badge type="error" icon="warning">
          {t("board_look")}
        </Badge>
      )}
      {line.open.length === 0 && !line.attention && line.done === 0 && (
        <span class="sub">{t("board_nothing_open")}</span>
      )}
      {line.done > 0 && (
        <Badge type="ok" icon="check">
          {counted(lang, "board_done_one", "board_done_more", line.done)}
        </Badge>
      )}
    </span>
  );
}

/** Forms that were begun and not saved; the form itself offers each of its own. */
function Unfinished() {
  const { app, t, l, drafts } = useUi();
  const all = drafts.all();
  const times = (path: string) => all.filter((d) => d.path === path).length;
  const mine = all.filter((d, i) => all.findIndex((o) => o.path === d.path) === i);
  const clients = useLoad(
    async () => Promise.all(mine.map((d) => (d.client ? app.client(d.client) : null))),
    [mine.map((d) => d.path)],
    [],
  );
  if (!mine.length || !clients.value) return null;
  return (
    <Alert type="info">
      <p class="strong">{t("draft_title")}</p>
      <ul class="draft-list">
        {mine.map((d, i) => (
          <li key={d.path}>
            <a
              class="utrecht-button-link utrecht-button-link--html-a utrecht-button-link--secondary-action"
              href={d.path}
            >
              <span>
                {[
                  l(app.kind(d.kind)?.label ?? { nl: "", en: "" }),
                  clients.value?.[i]?.label,
                  times(d.path) > 1 && t("draft_times", { n: times(d.path) }),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </Alert>
  );
}

function UpdateReady() {
  const { app, t } = useUi();
  if (!app.update.ready) return null;
  return (
    <Alert type="info">
      <p>{t("update_ready")}</p>
      <Button onClick={() => app.applyUpdate()}>{t("update_now")}</Button>
    </Alert>
  );
}
