// Completeness of the nights, and technology, counted from the records of the own organisation.
import { useState } from "preact/hooks";
import { useDesk, useTexts } from "../desk/desk.tsx";
import { TableFrame } from "../desk/frames.tsx";
import type { Texts } from "../desk/texts.ts";
import { shortDay } from "../ui/format.ts";
import { ErrorAlert, Loading } from "../ui/parts.tsx";
import { useLabels, useLoad, useUi } from "../ui/ui.tsx";
import { DataTable, Figure } from "./figure.tsx";
import { type TeamRow, teamNights, technologyRows, type Week, type WeekCell, weeksUntil } from "./own_data.ts";

const TEXTS = {
  nights: ["Hoeveel nachten zijn opgeschreven?", "How many nights were written down?"],
  nights_lead: [
    "Per team en week: het deel van de nachten met een registratie. Tik op een week en zie welke nachten ontbreken.",
    "By team and week: the share of nights with an entry. Tap a week to see which nights are missing.",
  ],
  team: ["Team", "Team"],
  week: ["vanaf {day}", "from {day}"],
  cell: [
    "{team}, week vanaf {day}: {share}, {there} van {expected} nachten opgeschreven",
    "{team}, week from {day}: {share}, {there} of {expected} nights written down",
  ],
  none: ["geen cliënten", "no clients"],
  missing: ["Ontbrekende nachten: {team}, week vanaf {day}", "Missing nights: {team}, week from {day}"],
  complete: ["Er ontbreekt niets.", "Nothing is missing."],
  tech: ["Technologie, laatste 28 dagen", "Technology, last 28 days"],
  tech_lead: [
    "Van alle teams. Ernstig: onderbreking van zorg of onveilig.",
    "Of all teams. Severe: care was interrupted, or it was unsafe.",
  ],
  technology: ["Technologie", "Technology"],
  entries: ["Registraties", "Entries"],
  used: ["Gebruikt", "Used"],
  incidents: ["Incidenten", "Incidents"],
  severe: ["Ernstig", "Severe"],
  kinds: ["Welke", "Which"],
  tech_none: ["In deze tijd is niets opgeschreven.", "Nothing was written down in this time."],
} as const satisfies Texts;
const MANY = 20_000;
const share = (c: WeekCell): string => `${Math.floor((100 * c.there) / c.expected)} %`;
const DAYS = 28;

export function Nights() {
  const { app } = useUi();
  const { lang } = useDesk();
  const t = useTexts(TEXTS);
  const [open, setOpen] = useState<{ team: string; week: number } | null>(null);
  const weeks = weeksUntil(app.clock.day(app.clock.now()));
  const rows = useLoad(async () => {
    const kind = app.kind("sleep");
    const all: TeamRow[] = [];
    for (const team of app.teams()) {
      const query = { team: team.id, fromDay: weeks[0].from, toDay: weeks.at(-1)!.to, limit: MANY };
      const nights = kind ? await app.records({ ...query, kind: kind.id }) : [];
      all.push(teamNights(team, await app.clients(team.id), nights, weeks));
    }
    return all;
  }, [weeks[0].from, weeks.at(-1)!.to]);
  if (rows.error) return <ErrorAlert error={rows.error} />;
  if (!rows.value) return <Loading />;
  const chosen = open && rows.value.find((r) => r.team.id === open.team)?.weeks[open.week];
  const day = (w: Week) => shortDay(lang, w.from);
  return (
    <Figure
      title={t("nights")}
      lead={t("nights_lead")}
      file="nachten"
      table={{
        head: [t("team"), ...weeks.map((w) => t("week", { day: day(w) }))],
        rows: rows.value.map((r) => [
          r.team.name,
          ...r.weeks.map((c) => (c.expected ? `${c.there} / ${c.expected}` : null)),
        ]),
      }}
    >
      <TableFrame label={t("nights")}>
        <table class="data heat">
          <thead>
            <tr>
              <th scope="col">{t("team")}</th>
              {weeks.map((w) => (
                <th key={w.from} scope="col">
                  {t("week", { day: day(w) })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.value.map((r) => (
              <tr key={r.team.id}>
                <th scope="row">{r.team.name}</th>
                {r.weeks.map((c, i) => (
                  <td key={i}>
                    {c.expected ? (
                      <button
                        type="button"
                        class={`heat-cell heat-${Math.floor((c.there / c.expected) * 4)}`}
                        aria-pressed={open?.team === r.team.id && open.week === i}
                        aria-label={t("cell", {
                          team: r.team.name,
                          day: day(weeks[i]),
                          share: share(c),
                          there: c.there,
                          expected: c.expected,
                        })}
                        onClick={() => setOpen({ team: r.team.id, week: i })}
                      >
                        {share(c)}
                      </button>
                    ) : (
                      <span class="sub">{t("none")}</span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {open && chosen && (
        <Missing
          cell={chosen}
          title={t("missing", {
            team: rows.value.find((r) => r.team.id === open.team)!.team.name,
            day: day(weeks[open.week]),
          })}
        />
      )}
    </Figure>
  );
}

function Missing({ cell, title }: { cell: WeekCell; title: string }) {
  const { lang } = useDesk();
  const t = useTexts(TEXTS);
  return (
    <div class="missing" role="status">
      <h3 class="utrecht-heading-3">{title}</h3>
      {!cell.missing.length && <p>{t("complete")}</p>}
      <ul class="plain-list">
        {cell.missing.map((m) => (
          <li key={m.client.id}>
            <a href={`#/client/${m.client.id}`}>{m.client.label}</a>:{" "}
            {m.days.map((d) => shortDay(lang, d)).join(", ")}
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Technology() {
  const { app, l } = useUi();
  const { lang } = useDesk();
  const t = useTexts(TEXTS);
  const kind = app.kind("tech_use");
  const today = app.clock.day(app.clock.now());
  const rows = useLoad(async () => {
    if (!kind) return [];
    const records = await app.records({ kind: kind.id, fromDay: today - DAYS, toDay: today, limit: MANY });
    return technologyRows(kind, records);
  }, [kind?.id, today]);
  const labels = useLabels(rows.value?.map((r) => r.technology) ?? []);
  if (rows.error) return <ErrorAlert error={rows.error} />;
  if (!rows.value) return <Loading />;
  const words = kind?.fields.find((f) => f.name === "incident")?.options ?? [];
  const kinds = (of: ReadonlyMap<number, number>) =>
    [...of]
      .sort((a, b) => b[1] - a[1])
      .map(([code, n]) => `${n} × ${l(words.find((o) => o.code === code)?.label ?? { nl: "?", en: "?" })}`)
      .join(", ");
  const table = {
    head: [t("technology"), t("entries"), t("used"), t("incidents"), t("severe"), t("kinds")],
    rows: rows.value.map((r) => [
      labels.get(r.technology) ?? "…",
      r.entries,
      r.used,
      r.incidents,
      r.severe,
      kinds(r.kinds) || null,
    ]),
  };
  return (
    <Figure title={t("tech")} lead={t("tech_lead")} file="technologie" table={table} plain>
      {rows.value.length ? (
        <DataTable caption={t("tech")} table={table} lang={lang} />
      ) : (
        <p class="empty">{t("tech_none")}</p>
      )}
    </Figure>
  );
}
