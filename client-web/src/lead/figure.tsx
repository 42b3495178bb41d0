// A chart with what belongs to it: a heading, the picture (which says in words what it shows), the same
// numbers as a table, and a file of them. A series over time is drawn by uPlot (series.tsx), what has no time
// is plain SVG (charts.tsx).
import type { ComponentChildren } from "preact";
import type { Lang } from "../app/api.ts";
import { useDesk, useTexts } from "../desk/desk.tsx";
import { TableFrame } from "../desk/frames.tsx";
import type { Texts } from "../desk/texts.ts";
import { type Cell, csvText, download } from "./csv.ts";

const TEXTS = {
  table: ["Cijfers in een tabel", "Figures in a table"],
  csv: ["Opslaan als CSV", "Save as CSV"],
} as const satisfies Texts;

export interface Table {
  head: readonly string[];
  rows: readonly (readonly Cell[])[];
}
interface Props {
  title: string;
  lead?: string;
  /** name of the file, without its ending */
  file: string;
  table: Table;
  class?: string;
  /** what it shows is the table already */
  plain?: boolean;
  children: ComponentChildren;
}
export function Figure({ title, lead, file, table, class: more, plain, children }: Props) {
  const t = useTexts(TEXTS);
  const { lang } = useDesk();
  return (
    <section class={`figure card ${more ?? ""}`}>
      <h2 class="utrecht-heading-2">{title}</h2>
      {lead && <p class="sub">{lead}</p>}
      {children}
      <div class="figure-foot">
        {!plain && (
          <details>
            <summary>{t("table")}</summary>
            <DataTable caption={title} table={table} lang={lang} />
          </details>
        )}
        <button
          type="button"
          class="text-button"
          aria-label={`${t("csv")}: ${title}`}
          onClick={() => download(`${file}.csv`, csvText([table.head, ...table.rows]))}
        >
          {t("csv")}
        </button>
      </div>
    </section>
  );
}

export function DataTable({ caption, table, lang }: { caption: string; table: Table; lang: Lang }) {
  // a column with numbers stands to the right, and so does its heading
  const numeric = table.head.map((_, x) => x > 0 && table.rows.some((row) => typeof row[x] === "number"));
  return (
    <TableFrame label={caption}>
      <table class="data">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {table.head.map((h, x) => (
              <th key={h} scope="col" class={numeric[x] ? "num" : undefined}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, y) => (
            <tr key={y}>
              {row.map((c, x) =>
                x === 0 ? (
                  <th key={x} scope="row">
                    {c}
                  </th>
                ) : (
                  <td key={x} class={numeric[x] && typeof c !== "string" ? "num" : undefined}>
                    {typeof c === "number" ? decimal(lang, c) : (c ?? "–")}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

export const decimal = (lang: Lang, n: number, digits = 1): string =>
  new Intl.NumberFormat(lang === "nl" ? "nl-NL" : "en-GB", { maximumFractionDigits: digits }).format(n);
export const signed = (lang: Lang, n: number): string =>
  new Intl.NumberFormat(lang === "nl" ? "nl-NL" : "en-GB", {
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  }).format(n);
export const monthName = (lang: Lang, month: string, short = false): string =>
  new Intl.DateTimeFormat(lang === "nl" ? "nl-NL" : "en-GB", {
    timeZone: "UTC",
    month: short ? "short" : "long",
    year: short ? "2-digit" : "numeric",
  }).format(new Date(`${month}-15T12:00:00Z`));
