// The network page: what a theme network learns together, on one page. Every figure comes from a release of
// the ledger; what may not be shown says so and why.
import { useMemo } from "preact/hooks";
import { dayName } from "../research/format.ts";
import { useDesk, problemText, useAsk, useTexts } from "../desk/desk.tsx";
import type { Texts } from "../desk/texts.ts";
import { Alert } from "../ui/parts.tsx";
import { Bar, PairedChart } from "./charts.tsx";
import { decimal, Figure, monthName, signed } from "./figure.tsx";
import { type Cell, isRoundedApart, isShown, type Month, type NetworkPage, type Paired } from "./network_data.ts";
import { UseChart } from "./series.tsx";

const TEXTS = {
  all: ["Alle netwerken samen", "All networks together"],
  choose: ["Themanetwerk", "Theme network"],
  print: ["Afdrukken", "Print"],
  release: ["Cijfers van {month}, uitgave {id}", "Figures of {month}, release {id}"],
  none: [
    "Er is nog geen uitgave. Cijfers verschijnen als een maand is afgesloten en de programmabeheerder haar uitgeeft.",
    "There is no release yet. Figures appear when a month is closed and the programme's administrator releases it.",
  ],
  before_after: ["Voor en na", "Before and after"],
  before_after_lead: [
    "Alleen cliënten met een nulmeting én een nameting. De band om het tweede punt is de spreiding van het verschil.",
    "Only clients with a baseline and a follow-up. The band around the second point is the spread of the difference.",
  ],
  sleep_se: ["Slaap: deel van de tijd in bed", "Sleep: share of the time in bed"],
  day_independence: ["Zelfstandig bij activiteiten", "Independent in activities"],
  difference: [
    "{d} punten verschil (spreiding {sd}); ongeveer {n} cliënten in {o} organisaties",
    "{d} points difference (spread {sd}); about {n} clients in {o} organisations",
  ],
  rounded: [
    "Elk getal is apart afgerond. Het verschil is berekend vóór het afronden; het kan 1 punt afwijken van nameting min nulmeting.",
    "Each figure is rounded by itself. The difference was taken before rounding; it can be 1 point off follow-up minus baseline.",
  ],
  difference_one: [
    "{d} punt verschil (spreiding {sd}); ongeveer {n} cliënten in {o} organisaties",
    "{d} point difference (spread {sd}); about {n} clients in {o} organisations",
  ],
  was_is: ["eerst {a} %, daarna {b} %", "{a} % before, {b} % after"],
  measure: ["Maat", "Measure"],
  baseline: ["Nulmeting %", "Baseline %"],
  follow_up: ["Nameting %", "Follow-up %"],
  diff: ["Verschil", "Difference"],
  spread: ["Spreiding", "Spread"],
  clients: ["Cliënten, ongeveer", "Clients, about"],
  orgs: ["Organisaties", "Organisations"],
  use: ["Gebruik van technologie", "Use of technology"],
  use_lead: [
    "Lijn: dagen gebruik per week per cliënt. Balken: incidenten per 100 dagen gebruik.",
    "Line: days of use a week and client. Bars: incidents per 100 days of use.",
  ],
  use_label: [
    "Gebruik per maand: in {month} {v} dagen per week en {i} incidenten per 100 dagen.",
    "Use by month: in {month} {v} days a week and {i} incidents per 100 days.",
  ],
  use_month: [
    "{month}: {v} dagen per week, {i} incidenten per 100 dagen.",
    "{month}: {v} days a week, {i} incidents per 100 days.",
  ],
  use_hidden: ["{month}: {hidden}.", "{month}: {hidden}."],
  month: ["Maand", "Month"],
  days_week: ["Dagen per week", "Days a week"],
  incidents: ["Incidenten per 100 dagen", "Incidents per 100 days"],
  goals: ["Doelen", "Goals"],
  goals_lead: ["Welk deel van de doelen is gehaald.", "Which share of the goals was attained."],
  scale: ["Schaal van {n} punten", "{n} point scale"],
  attained: ["Gehaald, schaal van {n} punten", "Attained, {n} point scale"],
  scores: ["Verdeling van de scores, alle netwerken samen", "Distribution of scores, all networks together"],
  share: ["Aandeel %", "Share %"],
  goal: ["Doel", "Goal"],
  stories: ["Praktijkverhalen", "Practice stories"],
  today: [
    "Van vandaag: geschreven door projectleiders en experts.",
    "As of today: written by project leads and experts.",
  ],
  stories_none: ["Er is nog geen verhaal.", "There is no story yet."],
  lessons: ["Lessen", "Lessons"],
  lessons_none: ["Er is nog geen les.", "There is no lesson yet."],
  main: ["belangrijkste les", "main lesson"],
  barriers: ["Wat helpt en wat belemmert", "What helps and what hinders"],
  barriers_lead: [
    "Thema's die tot het eind van {month} drie of meer organisaties noemden, alle netwerken samen.",
    "Themes that three or more organisations had named by the end of {month}, all networks together.",
  ],
  barriers_none: [
    "Nog geen thema is door drie organisaties genoemd.",
    "No theme was named by three organisations yet.",
  ],
  experts: ["Experts", "Experts"],
  experts_lead: [
    "Zij helpen u kiezen, invoeren en volhouden. Zij zetten zichzelf hier neer.",
    "They help you choose, introduce and keep up. They put themselves here.",
  ],
  experts_none: [
    "Nog geen expert heeft zich hier laten zien.",
    "No expert has put themselves here yet.",
  ],
  helps: ["helpt", "helps"],
  hinders: ["belemmert", "hinders"],
} as const satisfies Texts;

type T = (key: keyof typeof TEXTS, fill?: Record<string, string | number>) => string;

export default function NetworkSection() {
  const { path, l } = useDesk();
  const t = useTexts(TEXTS);
  const number = /^[1-9][0-9]?$/.test(path[1] ?? "") ? path[1] : "";
  const page = useAsk<NetworkPage>(`/api/network?network=${number}`);
  if (page.error)
    return (
      <Alert type="error" live>
        <p>{l(problemText(page.error))}</p>
      </Alert>
    );
  if (!page.value) return <p class="loading">…</p>;
  return <Page page={page.value} t={t} />;
}

function Page({ page, t }: { page: NetworkPage; t: T }) {
  const { lang } = useDesk();
  return (
    <div class="network stack">
      <div class="network-head">
        <h1 class="utrecht-heading-1">{page.network?.name ?? t("all")}</h1>
        <span class="spacer" />
        <div class="network-choice no-print">
          <label for="network">{t("choose")}</label>
          <select
            id="network"
            class="utrecht-select utrecht-select--html-select"
            value={page.network?.number ?? ""}
            onChange={(e) => (location.hash = `#/network/${e.currentTarget.value}`)}
          >
            <option value="">{t("all")}</option>
            {page.networks.map((n) => (
              <option key={n.number} value={n.number}>
                {n.name}
              </option>
            ))}
          </select>
        </div>
        <button type="button" class="text-button no-print" onClick={() => print()}>
          {t("print")}
        </button>
      </div>
      {page.release ? (
        <p class="sub">
          {t("release", { month: monthName(lang, page.release.id.slice(0, 7)), id: page.release.id })}{" "}
          <span class="hash">{page.release.hash.slice(0, 12)}</span>
        </p>
      ) : (
        <Alert type="info">
          <p>{t("none")}</p>
        </Alert>
      )}
      <div class="network-grid">
        {page.release && <BeforeAfter page={page} t={t} />}
        {page.release && <Use page={page} t={t} />}
        {page.release && <Barriers page={page} t={t} />}
        {page.release && <Goals page={page} t={t} />}
        <Stories page={page} t={t} />
        <Lessons page={page} t={t} />
      </div>
      <Experts page={page} t={t} />
    </div>
  );
}

/** In the place of a figure that may not be shown. */
function Hidden({ page }: { page: NetworkPage }) {
  const { lang } = useDesk();
  return <p class="hidden-cell">{page.hidden[lang]}</p>;
}
/** Once for a figure in which something is hidden. */
function Why({ page, mark }: { page: NetworkPage; mark?: boolean }) {
  const { lang } = useDesk();
  return (
    <p class="sub">
      {mark && <span class="gap-key" aria-hidden="true" />}
      <span class="first-upper strong">{page.hidden[lang]}.</span>{" "}
      {lang === "nl" ? page.hidden.why_nl : page.hidden.why_en}
    </p>
  );
}
const orHidden = (page: NetworkPage, c: Cell, lang: "nl" | "en"): number | string =>
  isShown(c) ? c.value : page.hidden[lang];

function BeforeAfter({ page, t }: { page: NetworkPage; t: T }) {
  const { lang } = useDesk();
  const name = (p: Paired) => {
    const base = p.measure === "sleep_se" || p.measure === "day_independence" ? t(p.measure) : p.measure;
    const source = lang === "nl" ? p.source_nl : p.source;
    return source ? `${base} (${source})` : base;
  };
  const wasIs = (p: Paired) =>
    t("was_is", { a: decimal(lang, p.baseline ?? 0), b: decimal(lang, p.follow_up ?? 0) });
  return (
    <Figure
      title={t("before_after")}
      lead={t("before_after_lead")}
      file={`overdracht-${page.release!.id}-paired`}
      table={{
        head: [t("measure"), t("baseline"), t("follow_up"), t("diff"), t("spread"), t("clients"), t("orgs")],
        rows: page.paired.map((p) =>
          isShown(p)
            ? [name(p), ...[p.baseline, p.follow_up, p.value, p.sd, p.clients, p.organisations].map((n) => n ?? null)]
            : [name(p), page.hidden[lang], null, null, null, null, null],
        ),
      }}
    >
      {page.paired.map((p) => (
        <div key={name(p)} class="paired">
          <h3 class="utrecht-heading-3">{name(p)}</h3>
          {isShown(p) ? (
            <>
              <PairedChart
                of={p}
                lang={lang}
                label={`${name(p)}: ${wasIs(p)}`}
              />
              <p class="sub">
                {t(Math.abs(p.value) === 1 ? "difference_one" : "difference", {
                  d: signed(lang, p.value),
                  sd: p.sd === undefined ? "–" : decimal(lang, p.sd),
                  n: p.clients ?? "–",
                  o: p.organisations ?? "–",
                })}
              </p>
            </>
          ) : (
            <Hidden page={page} />
          )}
        </div>
      ))}
      {page.paired.some(isRoundedApart) && <p class="sub">{t("rounded")}</p>}
      {!page.paired.every(isShown) && <Why page={page} />}
    </Figure>
  );
}

function Use({ page, t }: { page: NetworkPage; t: T }) {
  const { lang } = useDesk();
  const months = useMemo(() => [...page.technology].reverse(), [page]);
  const words = (c: Cell) => (isShown(c) ? decimal(lang, c.value) : page.hidden[lang]);
  const last = months.filter((m) => isShown(m.days_week)).at(-1);
  const label = last
    ? t("use_label", {
        month: monthName(lang, last.month),
        v: decimal(lang, last.days_week.value!),
        i: words(last.incidents),
      })
    : page.hidden[lang];
  const cell = (c: Cell) => orHidden(page, c, lang);
  const say = (m: Month) => {
    const month = monthName(lang, m.month);
    return isShown(m.days_week) || isShown(m.incidents)
      ? t("use_month", { month, v: words(m.days_week), i: words(m.incidents) })
      : t("use_hidden", { month, hidden: page.hidden[lang] });
  };
  return (
    <Figure
      title={t("use")}
      lead={t("use_lead")}
      file={`overdracht-${page.release!.id}-technology`}
      class="wide"
      table={{
        head: [t("month"), t("days_week"), t("incidents"), t("clients"), t("orgs")],
        rows: months.map((m) => [
          monthName(lang, m.month, true),
          cell(m.days_week),
          cell(m.incidents),
          m.days_week.clients ?? null,
          m.days_week.organisations ?? null,
        ]),
      }}
    >
      {last ? <UseChart months={months} label={label} lang={lang} say={say} /> : <Hidden page={page} />}
      {months.some((m) => !isShown(m.days_week) || !isShown(m.incidents)) && <Why page={page} mark />}
    </Figure>
  );
}

function Goals({ page, t }: { page: NetworkPage; t: T }) {
  const { lang } = useDesk();
  const { attained, scores } = page.goals;
  const shown = scores.flatMap((s) => (isShown(s) ? [{ ...s, value: s.value }] : []));
  return (
    <Figure
      title={t("goals")}
      lead={t("goals_lead")}
      file={`overdracht-${page.release!.id}-goals`}
      table={{
        head: [t("goal"), t("share"), t("clients"), t("orgs")],
        rows: [
          ...attained.map((a) => [
            t("attained", { n: a.scale }),
            orHidden(page, a, lang),
            a.clients ?? null,
            a.organisations ?? null,
          ]),
          ...scores.map((s) => [
            `${s[lang]} (${s.code}, ${t("scale", { n: s.scale })})`,
            orHidden(page, s, lang),
            s.clients ?? null,
            s.organisations ?? null,
          ]),
        ],
      }}
    >
      {attained.map((a) => (
        <div key={a.scale} class="bar-row">
          <span>{t("attained", { n: a.scale })}</span>
          {isShown(a) ? (
            <>
              <Bar share={a.value} />
              <span class="num strong">{decimal(lang, a.value, 0)} %</span>
            </>
          ) : (
            <Hidden page={page} />
          )}
        </div>
      ))}
      {shown.length > 0 && <h3 class="utrecht-heading-3">{t("scores")}</h3>}
      {[5, 6].map((scale) => {
        const rows = shown.filter((s) => s.scale === scale);
        return rows.length ? (
          <div key={scale} class="scores">
            <h4 class="sub">{t("scale", { n: scale })}</h4>
            {rows.map((s) => (
              <div key={s.code} class="bar-row small">
                <span>{s[lang]}</span>
                <Bar share={s.value} tone="soft" />
                <span class="num">{decimal(lang, s.value, 0)} %</span>
              </div>
            ))}
          </div>
        ) : null;
      })}
      {![...attained, ...scores].every(isShown) && <Why page={page} />}
    </Figure>
  );
}

function Stories({ page, t }: { page: NetworkPage; t: T }) {
  const { lang } = useDesk();
  const { stories } = page;
  return (
    <section class="figure card">
      <h2 class="utrecht-heading-2">{t("stories")}</h2>
      <p class="sub">{t("today")}</p>
      <p class="big">{lang === "nl" ? stories.text_nl : stories.text_en}</p>
      {!stories.items.length && <p class="empty">{t("stories_none")}</p>}
      <ul class="plain-list">
        {[...stories.items].reverse().slice(0, 8).map((s, i) => (
          <li key={i}>
            {s.link && /^https?:\/\//.test(s.link) ? (
              <a href={s.link} rel="noreferrer noopener" target="_blank">
                {s.title ?? s.link}
              </a>
            ) : (
              s.title
            )}{" "}
            {s.date && <span class="sub">{dayName(lang, new Date(`${s.date}T12:00:00Z`))}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Lessons({ page, t }: { page: NetworkPage; t: T }) {
  const lessons = [...page.lessons].sort(
    (a, b) => Number(b.main) - Number(a.main) || (a.number ?? 99) - (b.number ?? 99),
  );
  return (
    <section class="figure card">
      <h2 class="utrecht-heading-2">{t("lessons")}</h2>
      <p class="sub">{t("today")}</p>
      {!lessons.length && <p class="empty">{t("lessons_none")}</p>}
      <ol class="plain-list">
        {lessons.map((x, i) => (
          <li key={i}>
            <span class={x.main ? "strong" : undefined}>{x.title}</span>
            {x.main && <span class="sub"> ({t("main")})</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Barriers({ page, t }: { page: NetworkPage; t: T }) {
  const { lang } = useDesk();
  const barriers = page.barriers ?? [];
  return (
    <section class="figure card">
      <h2 class="utrecht-heading-2">{t("barriers")}</h2>
      <p class="sub">{t("barriers_lead", { month: monthName(lang, page.release!.id.slice(0, 7)) })}</p>
      {!barriers.length && <p class="empty">{t("barriers_none")}</p>}
      {(["helps", "hinders"] as const).map((effect) => {
        const list = barriers.filter((b) => b.effect === effect);
        return list.length ? (
          <p key={effect}>
            <span class="strong first-upper">{t(effect)}</span>: {list.map((b) => b[lang]).join(", ")}
          </p>
        ) : null;
      })}
    </section>
  );
}

const MAIL = /^[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+$/;
function Experts({ page, t }: { page: NetworkPage; t: T }) {
  const experts = [...page.experts].sort((a, b) => (a.name ?? "").localeCompare(b.name ?? ""));
  return (
    <section class="figure card experts">
      <h2 class="utrecht-heading-2">{t("experts")}</h2>
      <p class="sub">{t("experts_lead")}</p>
      {!experts.length && <p class="empty">{t("experts_none")}</p>}
      <ul class="expert-list">
        {experts.map((x, i) => (
          <li key={i}>
            <span class="strong">{x.name}</span>
            <span>{x.organisation}</span>
            <span class="expert-about">{x.about}</span>
            {x.contact && MAIL.test(x.contact) ? <a href={`mailto:${x.contact}`}>{x.contact}</a> : x.contact}
          </li>
        ))}
      </ul>
    </section>
  );
}
