// One client: what to fill in, and what was filled in before.
import { useState } from "preact/hooks";
import type { RecordView } from "../../app/api.ts";
import { longDay, relativeDay } from "../format.ts";
import { Icon } from "../icons.tsx";
import { hintsOf, ROUNDS } from "../kinds.ts";
import { Alert, Avatar, Button, ErrorAlert, Loading, Section, Title } from "../parts.tsx";
import { RecordRow, refsOf } from "../record.tsx";
import { href, useLabels, useLoad, useUi } from "../ui.tsx";

const PAGE_DAYS = 14;
const LIMIT = 200;

export function Client({ id }: { id: string }) {
  const { app, t, mayWrite, mayRead } = useUi();
  const client = useLoad(() => app.client(id), [id], ["people"]);
  if (client.error) return <ErrorAlert error={client.error} />;
  if (client.value === undefined) return <Loading />;
  if (client.value === null)
    return (
      <Alert type="info">
        <p>{t("gone")}</p>
      </Alert>
    );
  return (
    <>
      <div class="client-head">
        <Avatar name={client.value.label} />
        <Title>{client.value.label}</Title>
      </div>
      {mayWrite && <Kinds id={id} />}
      {mayRead ? <Timeline id={id} /> : <p class="help">{t("entry_only_more")}</p>}
    </>
  );
}

function Kinds({ id }: { id: string }) {
  const { app, t, l } = useUi();
  return (
    <Section title={t("client_new")}>
      <div class="kinds">
        {app
          .kinds()
          .filter((kind) => kind.needsClient)
          .map((kind) => (
            <a
              key={kind.id}
              class="kind"
              href={kind.name === ROUNDS ? href("rounds") : href("new", kind.name, id)}
            >
              <Icon name={hintsOf(kind).icon} />
              <span>{l(kind.label)}</span>
            </a>
          ))}
      </div>
    </Section>
  );
}

function Timeline({ id }: { id: string }) {
  const ui = useUi();
  const { app, t, lang } = ui;
  const [pages, setPages] = useState(1);
  const today = app.clock.day(app.clock.now());
  const records = useLoad(
    () => app.records({ client: id, fromDay: today - PAGE_DAYS * pages + 1, toDay: today + 1, limit: LIMIT }),
    [id, pages, today],
  );
  const list = (records.value ?? []).filter((r) => app.kind(r.kind)?.name !== ROUNDS);
  const rounds = (records.value ?? []).filter(
    (r) => app.kind(r.kind)?.name === ROUNDS && r.retracted !== "yes",
  );
  const labels = useLabels(list.flatMap((r) => refsOf(ui, r)));
  // a round belongs to its night, as the night itself does
  const dayOf = (r: RecordView) =>
    rounds.includes(r) ? app.clock.night(r.occurredAt ?? r.createdAt) : r.day;
  const days = [...new Set([...list, ...rounds].map(dayOf))].sort((a, b) => b - a);
  return (
    <Section title={t("client_timeline")}>
      <ErrorAlert error={records.error} />
      {records.value && !days.length && <p class="empty">{t("client_none")}</p>}
      {days.map((day) => (
        <section key={day} class="day">
          <h3 class="day-head" title={longDay(lang, day)}>
            {relativeDay(app, day)}
          </h3>
          <div class="rows">
            {list
              .filter((r) => r.day === day)
              .map((r) => (
                <RecordRow key={r.id} record={r} labels={labels} underDay />
              ))}
            <RoundsLine records={rounds.filter((r) => dayOf(r) === day)} />
          </div>
        </section>
      ))}
      {records.value && pages < 3 && <Button onClick={() => setPages(pages + 1)}>{t("client_older")}</Button>}
    </Section>
  );
}

/** The rounds of a night as one strip: a night has many. */
export function RoundsLine({ records }: { records: readonly RecordView[] }) {
  const { app, t, l } = useUi();
  const kind = app.kind(ROUNDS);
  const state = kind?.fields.find((f) => f.name === "state");
  if (!records.length || !state) return null;
  const sorted = [...records].sort((a, b) => (a.occurredAt ?? 0) - (b.occurredAt ?? 0));
  return (
    <div class="row strip">
      <span class="row-icon">
        <Icon name="eye" />
      </span>
      <span class="row-words">
        <strong class="row-title">{l(kind!.label)}</strong>
        <ol class="checks" aria-label={t("rounds")}>
          {sorted.map((r) => (
            <li key={r.id}>
              <a href={href("record", r.id)} class={`check state-${Number(r.values[state.id])}`}>
                <Moment record={r} />
                <span>
                  {l(state.options.find((o) => o.code === r.values[state.id])?.label ?? state.label)}
                </span>
              </a>
            </li>
          ))}
        </ol>
      </span>
    </div>
  );
}
function Moment({ record }: { record: RecordView }) {
  const { app } = useUi();
  const at = record.occurredAt ?? record.createdAt;
  const m = app.clock.minutes(at);
  return <b>{`${String(Math.floor(m / 60)).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`}</b>;
}
