// A record as one line of a list, and its badges: the same on every screen.
import type { Id, RecordView } from "../app/api.ts";
import { nightOf, time, valueText, when } from "./format.ts";
import { Icon } from "./icons.tsx";
import { fieldNamed, hintsOf, nightField } from "./kinds.ts";
import { Badge } from "./parts.tsx";
import { answered, isMissing } from "./form/model.ts";
import { href, type Ui, useUi } from "./ui.tsx";

/** References that the line of a record shows. */
export function refsOf(ui: Ui, record: RecordView): Id[] {
  const kind = ui.app.kind(record.kind);
  return record.fields
    .filter((f) => kind?.fields.find((k) => k.id === f.field)?.type === "ref" && typeof f.value === "string")
    .map((f) => f.value as string);
}

/** "22:30 – 06:45 · goed" */
export function summary(ui: Ui, record: RecordView, labels: ReadonlyMap<Id, string>): string {
  const { app } = ui;
  const kind = app.kind(record.kind);
  if (!kind) return "";
  const named = hintsOf(kind)
    .summary.map((name) => fieldNamed(kind, name))
    .filter((f) => f !== undefined);
  const fields = named.length
    ? named
    : kind.fields.filter((f) => f.required && f.name !== "project" && f.id !== kind.occurred);
  const shown = fields.filter((f) => answered(record.values[f.id]) && !isMissing(f, record.values[f.id]));
  const times = shown.filter((f) => f.type === "datetime");
  const rest = shown.filter((f) => f.type !== "datetime").slice(0, 4);
  return [
    times.map((f) => time(app, record.values[f.id] as number)).join(" – "),
    ...rest.map((f) => {
      const words = valueText(app, f, record.values[f.id], labels);
      const bare = f.type === "int" ? f.unit === null : hintsOf(kind).withLabel.includes(f.name);
      return bare ? `${f.label[ui.lang].toLowerCase()}: ${words}` : words;
    }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** When a record happened: its night, or its moment. */
export function happened(ui: Ui, record: RecordView): string {
  const kind = ui.app.kind(record.kind);
  if (record.occurredAt !== null) return when(ui.app, record.occurredAt);
  return kind && nightField(kind) ? nightOf(ui.lang, record.day) : when(ui.app, record.createdAt);
}

export function RecordBadges({ record, place }: { record: RecordView; place?: boolean }) {
  const { t } = useUi();
  return (
    <span class="badges">
      {record.conflicts.length > 0 && (
        <Badge type="error" icon="warning">
          {t("badge_conflict")}
        </Badge>
      )}
      {record.held.length > 0 && (
        <Badge type="error" icon="warning">
          {t("badge_held")}
        </Badge>
      )}
      {record.doubles.length > 0 && record.retracted !== "yes" && (
        <Badge type="warning" icon="copy">
          {t("badge_double")}
        </Badge>
      )}
      {record.lacking.length > 0 && record.retracted === "no" && (
        <Badge type="warning">{t("record_lacking_short")}</Badge>
      )}
      {record.retracted === "yes" && <Badge>{t("badge_retracted")}</Badge>}
      {(place || record.place === "tablet") && (
        <Badge
          type={record.place === "safe" ? "ok" : "neutral"}
          icon={record.place === "tablet" ? "device" : record.place === "safe" ? "shield" : "sent"}
        >
          {t(`place_${record.place}`)}
        </Badge>
      )}
    </span>
  );
}

interface RowProps {
  record: RecordView;
  labels: ReadonlyMap<Id, string>;
  /** before the kind: the client's name */
  client?: string;
  /** the day stands above */
  underDay?: boolean;
}
export function RecordRow({ record, labels, client, underDay }: RowProps) {
  const ui = useUi();
  const { app, t, l } = ui;
  const kind = app.kind(record.kind);
  return (
    <a class={`row ${record.retracted === "yes" ? "retracted" : ""}`} href={href("record", record.id)}>
      <span class="row-icon">
        <Icon name={kind ? hintsOf(kind).icon : "note"} />
      </span>
      <span class="row-words">
        <span class="row-title">
          {client && <strong>{client} </strong>}
          <strong class={client ? "plain" : ""}>{kind ? l(kind.label) : ""}</strong>
          <span class="row-when">
            {underDay && record.occurredAt !== null ? time(app, record.occurredAt) : happened(ui, record)}
          </span>
        </span>
        <span class="row-summary">{summary(ui, record, labels)}</span>
        <span class="row-foot">
          <span class="sub">{record.createdByName ?? t("unknown_person")}</span>
          <RecordBadges record={record} />
        </span>
      </span>
      <Icon name="next" />
    </a>
  );
}
