// The hand-over: the last 24 hours of the team on one page, to read aloud or print (A4).
import type { Client, RecordView } from "../../app/api.ts";
import { when } from "../format.ts";
import { fieldNamed, hintsOf, ROUNDS } from "../kinds.ts";
import { Alert, Avatar, Button, ErrorAlert, Loading, Title } from "../parts.tsx";
import { Icon } from "../icons.tsx";
import { happened, RecordBadges, refsOf, summary } from "../record.tsx";
import { counted } from "../texts.ts";
import { href, useLabels, useLoad, useUi } from "../ui.tsx";
import { RoundsLine } from "./client.tsx";

export function Handover() {
  const ui = useUi();
  const { app, t, lang, team } = ui;
  const loaded = useLoad(
    async () => {
      if (!team) return null;
      const [records, clients] = await Promise.all([app.handover(team.id), app.clients(team.id)]);
      return { records, clients, at: app.clock.now() };
    },
    [team?.id],
    ["records", "people"],
  );
  const labels = useLabels((loaded.value?.records ?? []).flatMap((r) => refsOf(ui, r)));
  if (loaded.error) return <ErrorAlert error={loaded.error} />;
  if (!loaded.value || !team) return <Loading />;
  const { records, clients, at } = loaded.value;
  const counting = records.filter((r) => r.retracted !== "yes");
  const unsent = app.sync.unsent - app.sync.looks;
  const moment = (r: RecordView) => r.occurredAt ?? r.createdAt;
  const of = (client: Client) =>
    counting.filter((r) => r.client === client.id).sort((a, b) => moment(a) - moment(b));
  const filled = clients.filter((c) => of(c).length);
  const nothing = clients.filter((c) => !of(c).length);
  return (
    <div class="handover">
      <Title icon="handover" sub={t("handover_period", { time: when(app, at) })}>
        {t("handover_title", { team: team.name })}
      </Title>
      <div class="no-print">
        <Button icon="print" onClick={() => print()}>
          {t("handover_print")}
        </Button>
      </div>
      {unsent > 0 && (
        <Alert type="info">
          <p>{counted(lang, "handover_unsent_one", "handover_unsent_more", unsent)}</p>
        </Alert>
      )}
      {!counting.length && <p class="empty">{t("handover_none")}</p>}
      {filled.map((client) => (
        <OfClient key={client.id} client={client} records={of(client)} labels={labels} />
      ))}
      {counting.length > 0 && nothing.length > 0 && (
        <p class="sub">
          {t("handover_nothing")}: {nothing.map((c) => c.label).join(", ")}
        </p>
      )}
      <p class="print-only">
        {t("handover_made", { name: app.person?.name ?? "", time: when(app, at) })}. {t("handover_private")}
      </p>
    </div>
  );
}

function OfClient({
  client,
  records,
  labels,
}: {
  client: Client;
  records: RecordView[];
  labels: ReadonlyMap<string, string>;
}) {
  const ui = useUi();
  const { app, t, l } = ui;
  const rounds = records.filter((r) => app.kind(r.kind)?.name === ROUNDS);
  const rest = records.filter((r) => !rounds.includes(r));
  return (
    <section class="card handover-client">
      <h2 class="utrecht-heading-3">
        <Avatar name={client.label} /> {client.label}
      </h2>
      <ul class="handover-lines">
        {rest.map((r) => {
          const kind = app.kind(r.kind);
          const note = kind && fieldNamed(kind, "note");
          const text = note && r.values[note.id];
          return (
            <li key={r.id}>
              <Icon name={kind ? hintsOf(kind).icon : "note"} />
              <div>
                <a href={href("record", r.id)}>
                  <b>{kind && l(kind.label)}</b>{" "}
                  <span class="sub">
                    {happened(ui, r)} · {r.createdByName ?? t("unknown_person")}
                  </span>
                </a>
                <p>{summary(ui, r, labels)}</p>
                {typeof text === "string" && (
                  <p class="note">{text.length > 400 ? `${text.slice(0, 400)} …` : text}</p>
                )}
                <RecordBadges record={r} />
              </div>
            </li>
          );
        })}
      </ul>
      <RoundsLine records={rounds} />
    </section>
  );
}
