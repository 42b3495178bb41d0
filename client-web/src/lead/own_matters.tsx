// What somebody must settle, of all teams, oldest first; and the way to every client's records.
import type { RecordView, Team } from "../app/api.ts";
import { useTexts } from "../desk/desk.tsx";
import { TableFrame } from "../desk/frames.tsx";
import type { Texts } from "../desk/texts.ts";
import { Alert, Badge, ErrorAlert, Loading } from "../ui/parts.tsx";
import { happened } from "../ui/record.tsx";
import { href, useLoad, useUi } from "../ui/ui.tsx";

const TEXTS = {
  lead: [
    "Waar twee mensen iets anders opschreven, of twee keer hetzelfde. Tik erop en los het op.",
    "Where two people wrote different things, or the same thing twice. Tap one and settle it.",
  ],
  none: ["Er is niets op te lossen.", "There is nothing to settle."],
  client: ["Cliënt", "Client"],
  team: ["Team", "Team"],
  what: ["Registratie", "Entry"],
  age: ["Sinds", "Since"],
  conflict: ["oneens", "conflict"],
  double: ["dubbel", "double"],
  held: ["vastgehouden", "held"],
  days: ["{n} dagen", "{n} days"],
  today: ["vandaag", "today"],
  yesterday: ["1 dag", "1 day"],
  unknown: ["onbekend", "unknown"],
  bad_clock: ["klok van het apparaat stond fout", "the device's clock was wrong"],
  clients_none: ["Dit team heeft geen cliënten.", "This team has no clients."],
} as const satisfies Texts;

interface Matter {
  team: Team;
  record: RecordView;
  client: string;
  is: "conflict" | "double" | "held";
}
/** 2020: nothing of this programme is older. A tablet whose battery ran empty may say 1970 or 2000, and be set
 *  right before it is here again: then nobody knows how far off it had been. */
const NO_CLOCK_BEFORE = 1_577_836_800;
const SCREENS = { conflict: "settle", double: "double" } as const;
const matterOf = (r: RecordView): Matter["is"] =>
  r.conflicts.length ? "conflict" : r.doubles.length ? "double" : "held";

export function Matters() {
  const ui = useUi();
  const { app, l, mayWrite } = ui;
  const t = useTexts(TEXTS);
  const list = useLoad(async () => {
    const all: Matter[] = [];
    for (const team of app.teams())
      for (const record of await app.attention(team.id)) {
        const client = record.client ? ((await app.client(record.client))?.label ?? "?") : "–";
        all.push({ team, record, client, is: matterOf(record) });
      }
    all.sort((a, b) => a.record.changedAt - b.record.changedAt);
    // of what was written twice, one line opens all of it
    const told = new Set<string>();
    return all.filter((m) => {
      if (m.is === "double" && m.record.doubles.some((d) => told.has(d))) return false;
      if (m.is === "double") told.add(m.record.id);
      return true;
    });
  }, []);
  if (list.error) return <ErrorAlert error={list.error} />;
  if (!list.value) return <Loading />;
  if (!list.value.length)
    return (
      <Alert type="ok">
        <p>{t("none")}</p>
      </Alert>
    );
  const today = app.clock.day(app.clock.now());
  const age = (at: number) => {
    // of what was only ever held, this browser has no time; the list of what is held does
    if (at <= 0) return t("unknown");
    const days = today - app.clock.day(at);
    // no time is later than the server's when the entry came
    if (at < NO_CLOCK_BEFORE) return t("bad_clock");
    return days < 1 ? t("today") : days === 1 ? t("yesterday") : t("days", { n: days });
  };
  const to = (m: Matter) =>
    m.is === "held" ? href("own", "held") : href(mayWrite ? SCREENS[m.is] : "record", m.record.id);
  return (
    <section class="card">
      <p class="sub">{t("lead")}</p>
      <TableFrame label={t("lead")}>
        <table class="data matters">
          <thead>
            <tr>
              {(["client", "what", "age", "team"] as const).map((h) => (
                <th key={h} scope="col">
                  {t(h)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {list.value.map((m) => (
              <tr key={m.record.id}>
                <th scope="row">{m.client}</th>
                <td>
                  <a class="matter" href={to(m)}>
                    {l(app.kind(m.record.kind)?.label ?? { nl: "?", en: "?" })}
                  </a>{" "}
                  {m.record.createdAt > 0 && <span class="sub">{happened(ui, m.record)}</span>}
                  <br />
                  <Badge type={m.is === "double" ? "warning" : "error"}>{t(m.is)}</Badge>
                </td>
                <td>{age(m.record.changedAt)}</td>
                <td>{m.team.name}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  );
}

export function Clients() {
  const { app } = useUi();
  const t = useTexts(TEXTS);
  const list = useLoad(
    async () => Promise.all(app.teams().map(async (team) => ({ team, clients: await app.clients(team.id) }))),
    [],
    ["people"],
  );
  if (list.error) return <ErrorAlert error={list.error} />;
  if (!list.value) return <Loading />;
  return (
    <>
      {list.value.map(({ team, clients }) => (
        <section key={team.id} class="card stack">
          <h2 class="utrecht-heading-2">{team.name}</h2>
          {!clients.length && <p class="empty">{t("clients_none")}</p>}
          <p class="client-links">
            {clients.map((c) => (
              <a key={c.id} href={href("client", c.id)}>
                {c.label}
              </a>
            ))}
          </p>
        </section>
      ))}
    </>
  );
}
