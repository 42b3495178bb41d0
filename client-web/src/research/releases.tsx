// The releases: which there are, what one holds and how to have it, what changed, and how to cite it.
import { useState } from "preact/hooks";
import { problemText, useDesk, useTexts, useWork } from "../desk/desk.tsx";
import { offer, TableFrame } from "../desk/frames.tsx";
import { Alert } from "../ui/parts.tsx";
import { Copyable } from "./copy.tsx";
import type { Changed, Release } from "./data.ts";
import { dayName, monthName } from "./format.ts";
import { RESEARCH } from "./texts.ts";

type Key = keyof typeof RESEARCH & string;
const datasetKey = (name: string): Key => `ds_${name}` as Key;

/** All of them, newest first; the one that is shown below is marked. */
export function ReleaseList({ releases, chosen }: { releases: readonly Release[]; chosen: Release }) {
  const t = useTexts(RESEARCH);
  const { lang } = useDesk();
  return (
    <section class="card stack">
      <h2 class="utrecht-heading-2">{t("releases")}</h2>
      <TableFrame label={t("releases")}>
        <table class="data">
          <thead>
            <tr>
              {(["release", "month", "made", "told", "split"] as const).map((k) => (
                <th key={k} scope="col">
                  {t(k)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {releases.map((r) => (
              <tr key={r.id} aria-current={r === chosen ? "true" : undefined}>
                <th scope="row">
                  <a class="row-link" href={`#/research/${r.id}`} aria-current={r === chosen ? "page" : undefined}>
                    {r.id}
                  </a>
                </th>
                <td>{monthName(lang, r.month)}</td>
                <td>{dayName(lang, new Date(r.made))}</td>
                <td>{t("told_of", { n: r.told, all: r.cells })}</td>
                <td>{r.breakdowns.map((b) => t(b as Key)).join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  );
}

export function Files({ release }: { release: Release }) {
  const t = useTexts(RESEARCH);
  const { session, l } = useDesk();
  const { busy, error, run } = useWork();
  const save = (dataset: string, format: string) =>
    run(async () => {
      const file = dataset === "datapackage" ? "datapackage.json" : `${dataset}.${format}`;
      const name = dataset === "datapackage" ? file : `overdracht-${release.id}-${file}`;
      offer(name, await session.file(`/api/releases/${release.id}/${file}`));
    });
  return (
    <section class="card stack">
      <h2 class="utrecht-heading-2">{t("files", { id: release.id })}</h2>
      {error !== null && (
        <Alert type="error" live>
          <p>{l(problemText(error))}</p>
        </Alert>
      )}
      <TableFrame label={t("files", { id: release.id })}>
        <table class="data">
          <thead>
            <tr>
              <th scope="col">{t("dataset")}</th>
              <th scope="col">{t("formats")}</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(release.datasets).map(([name, formats]) => (
              <tr key={name}>
                <th scope="row">
                  {t(datasetKey(name))} <span class="hash">{name}</span>
                </th>
                <td class="format-buttons">
                  {formats.map((format) => (
                    <button
                      key={format}
                      type="button"
                      class="text-button"
                      aria-disabled={busy}
                      aria-label={t("save", { name: t(datasetKey(name)), format })}
                      onClick={() => save(name, format)}
                    >
                      {format}
                    </button>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  );
}

/** Cells told anew or no more, and what else is not as it was. */
export function Changes({ release }: { release: Release }) {
  const t = useTexts(RESEARCH);
  const changed = release.changed;
  return (
    <section class="card stack">
      <h2 class="utrecht-heading-2">
        {changed ? t("changed", { since: changed.since }) : t("changed_title")}
      </h2>
      {changed ? <ChangedTable changed={changed} /> : <p>{t("first")}</p>}
    </section>
  );
}

function ChangedTable({ changed }: { changed: Changed }) {
  const t = useTexts(RESEARCH);
  const lines = [
    ...changed.networks.map((n) => t(`net_${n.what}`, { name: n.name, n: n.number })),
    ...changed.measures.map((m) => t(`measure_${m.what}`, { name: m.name })),
    ...changed.forms.map((f) => t("form", { form: f.form, from: f.from, to: f.to })),
  ];
  const title = t("changed", { since: changed.since });
  return (
    <>
      <p class="sub">{t("changed_lead")}</p>
      <TableFrame label={title}>
        <table class="data">
          <thead>
            <tr>
              {(["dataset", "told", "was_hidden", "now_hidden"] as const).map((k) => (
                <th key={k} scope="col" class={k === "dataset" ? undefined : "num"}>
                  {t(k)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Object.entries(changed.cells).map(([name, n]) => (
              <tr key={name}>
                <th scope="row">{t(datasetKey(name))}</th>
                <td class="num">{n.told}</td>
                <td class="num">{n.new}</td>
                <td class="num">{n.gone}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {lines.length > 0 && (
        <ul class="plain-list">
          {lines.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </>
  );
}

export function Citing({ release }: { release: Release }) {
  const t = useTexts(RESEARCH);
  return (
    <section class="card stack">
      <h2 class="utrecht-heading-2">{t("cite")}</h2>
      <p class="sub">{t("cite_lead")}</p>
      <Copyable what={t("citation")} text={release.citation} />
      <p class="hash">sha256 {release.hash}</p>
    </section>
  );
}

/** The codebook is a page of its own, without any script: shown as a file. */
export function CodebookButton() {
  const t = useTexts(RESEARCH);
  const { session, l } = useDesk();
  const [problem, setProblem] = useState<unknown>(null);
  const read = () => {
    setProblem(null);
    session.file("/api/codebook.html").then((body) => offer("overdracht-codebook.html", body), setProblem);
  };
  return (
    <>
      <button type="button" class="text-button" onClick={read}>
        {t("codebook_now")}
      </button>
      {problem !== null && (
        <Alert type="error" live>
          <p>{l(problemText(problem))}</p>
        </Alert>
      )}
    </>
  );
}
