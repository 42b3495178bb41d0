// One record: what it says, who said it and when; changing it, taking it out, taking that back.
import { useState } from "preact/hooks";
import type { FieldInfo, HeldEntry, KindInfo, RecordView } from "../../app/api.ts";
import { answered } from "../form/model.ts";
import { nightOf, shortDay, valueText, when } from "../format.ts";
import { Icon } from "../icons.tsx";
import { hintsOf, nightField } from "../kinds.ts";
import {
  Alert,
  Button,
  ButtonLink,
  ErrorAlert,
  Loading,
  NoticeAlert,
  Section,
  TextInput,
  Title,
} from "../parts.tsx";
import { happened, RecordBadges, refsOf } from "../record.tsx";
import { href, useAction, useLabels, useLoad, useUi } from "../ui.tsx";
import { ExportUnsent } from "./send.tsx";

export function Record({ id }: { id: string }) {
  const ui = useUi();
  const { app, t, l } = ui;
  const loaded = useLoad(() => app.record(id), [id]);
  const record = loaded.value;
  const client = useLoad(
    async () => (record?.client ? app.client(record.client) : null),
    [record?.client],
    ["people"],
  );
  const labels = useLabels(record ? refsOf(ui, record) : []);
  if (loaded.error) return <ErrorAlert error={loaded.error} />;
  if (record === undefined) return <Loading />;
  const kind = record && app.kind(record.kind);
  if (!record || !kind)
    return (
      <Alert type="info">
        <p>{t("gone")}</p>
      </Alert>
    );
  return (
    <>
      <Title
        icon={hintsOf(kind).icon}
        sub={[client.value?.label, happened(ui, record)].filter(Boolean).join(" · ")}
      >
        {l(kind.label)}
      </Title>
      <RecordBadges record={record} place />
      <Matters record={record} kind={kind} />
      <Values record={record} kind={kind} labels={labels} />
      <p class="sub">
        {t("record_new_by", {
          name: record.createdByName ?? t("unknown_person"),
          time: when(app, record.createdAt),
        })}
      </p>
      {ui.mayWrite && <Actions record={record} kind={kind} />}
    </>
  );
}

/** What somebody must look at. */
function Matters({ record, kind }: { record: RecordView; kind: KindInfo }) {
  const { app, t, lang, mayWrite } = useUi();
  const lacking = record.lacking
    .map((id) => kind.fields.find((f) => f.id === id)?.label[lang])
    .filter(Boolean);
  return (
    <>
      {record.conflicts.length > 0 && (
        <Alert type="error">
          <p class="strong">{t("settle_lead")}</p>
          {mayWrite && <ButtonLink href={href("settle", record.id)}>{t("settle")}</ButtonLink>}
        </Alert>
      )}
      {record.doubles.length > 0 && record.retracted !== "yes" && (
        <Alert type="warning">
          <p>{t("double_lead", { n: record.doubles.length + 1 })}</p>
          {mayWrite && <ButtonLink href={href("double", record.id)}>{t("double_title")}</ButtonLink>}
        </Alert>
      )}
      {record.held.map((held, i) => (
        <Held key={i} held={held} kind={kind} href={href("edit", record.id, i)} />
      ))}
      {record.retracted === "yes" && record.retraction && (
        <Alert type="info">
          <p class="strong">{t("record_retracted", { reason: String(record.retraction.value ?? "") })}</p>
          <p>
            {t("by_at", {
              name: record.retraction.byName ?? t("unknown_person"),
              time: when(app, record.retraction.at),
            })}
          </p>
        </Alert>
      )}
      {lacking.length > 0 && record.retracted === "no" && (
        <Alert type="info">
          <p>{t("record_lacking", { fields: lacking.join(", ") })}</p>
        </Alert>
      )}
    </>
  );
}

function Held({ held, kind, href: fix }: { held: HeldEntry; kind: KindInfo; href: string }) {
  const { app, t, l, mayWrite } = useUi();
  const said = kind.fields.filter((f) => answered(held.values[f.id]));
  const by =
    held.at === null
      ? held.byName
      : t("by_at", { name: held.byName ?? t("unknown_person"), time: when(app, held.at) });
  return (
    <NoticeAlert notice={held.notice} type="error">
      {by && <p class="sub">{by}</p>}
      {said.length > 0 && (
        <>
          <p>{t("held_said")}</p>
          <ul class="plain-list">
            {said.map((f) => (
              <li key={f.id}>
                {l(f.label)}: <b>{valueText(app, f, held.values[f.id]).slice(0, 300)}</b>
              </li>
            ))}
          </ul>
        </>
      )}
      {held.is === "refused" && held.own && <ExportUnsent />}
      {mayWrite && held.is !== "dismissed" && <ButtonLink href={fix}>{t("held_fix")}</ButtonLink>}
    </NoticeAlert>
  );
}

function Values({
  record,
  kind,
  labels,
}: {
  record: RecordView;
  kind: KindInfo;
  labels: ReadonlyMap<string, string>;
}) {
  const { app, t, l, lang } = useUi();
  const rows = record.fields
    .map((view) => ({ view, field: kind.fields.find((f) => f.id === view.field) }))
    .filter(
      (row): row is { view: (typeof record.fields)[number]; field: FieldInfo } =>
        row.field !== undefined && answered(row.view.value),
    );
  return (
    <dl class="values card">
      {rows.map(({ view, field }) => (
        <div key={field.id} class="value-row">
          <dt>{l(field.label)}</dt>
          <dd>
            <span class="value">
              {field === nightField(kind) && typeof view.value === "number"
                ? nightOf(lang, view.value)
                : valueText(app, field, view.value, labels)}
              {field.type === "datetime" && typeof view.value === "number" && view.value > 0 && (
                <span class="sub"> {shortDay(lang, app.clock.day(view.value))}</span>
              )}
            </span>
            {(view.by !== record.createdBy || view.at !== record.createdAt) && (
              <span class="sub">
                {t("by_at", { name: view.byName ?? t("unknown_person"), time: when(app, view.at) })}
              </span>
            )}
            {view.clockSuspect && (
              <span class="sub suspect">
                <Icon name="warning" /> {t("clock_suspect")}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ record, kind }: { record: RecordView; kind: KindInfo }) {
  const { app, t, say } = useUi();
  const [asking, setAsking] = useState(false);
  const { busy, error, run } = useAction();
  if (record.retracted === "yes")
    return (
      <>
        <ErrorAlert error={error} />
        <Button
          icon="back"
          busy={busy}
          onClick={() =>
            run(async () => {
              await app.undoRetraction(record);
              say({ text: t("record_undone") });
            })
          }
        >
          {t("record_undo")}
        </Button>
      </>
    );
  if (asking) return <Retract record={record} close={() => setAsking(false)} />;
  return (
    <div class="actions">
      {!kind.readonly && (
        <ButtonLink href={href("edit", record.id)} icon="edit">
          {t("record_edit")}
        </ButtonLink>
      )}
      <Button icon="erase" look="subtle" onClick={() => setAsking(true)}>
        {t("record_retract")}
      </Button>
    </div>
  );
}

const REASON_MAX = 100;
const REASONS = ["record_reason_client", "record_reason_double", "record_reason_day"] as const;

/** One tap on a reason, or a reason of one's own. */
function Retract({ record, close }: { record: RecordView; close: () => void }) {
  const { app, t, say } = useUi();
  const [own, setOwn] = useState("");
  const { error, run } = useAction();
  const retract = (reason: string) =>
    run(async () => {
      await app.retract(record, reason);
      const undo = async () => {
        const now = await app.record(record.id);
        if (now) await app.undoRetraction(now);
      };
      say({ text: t("record_retracted_done"), action: { label: t("record_undo"), run: () => void undo() } });
      close();
    });
  return (
    <Section title={t("record_retract")}>
      <p class="help">{t("record_retract_lead")}</p>
      <ErrorAlert error={error} />
      <p class="strong">{t("record_reason")}</p>
      <div class="choices">
        {REASONS.map((reason) => (
          <button type="button" class="choice" key={reason} onClick={() => retract(t(reason))}>
            <span>{t(reason)}</span>
          </button>
        ))}
      </div>
      <form
        class="inline-form"
        onSubmit={(e) => {
          e.preventDefault();
          if (own.trim()) retract(own.trim());
        }}
      >
        <TextInput
          id="reason"
          label={t("record_reason_own")}
          value={own}
          maxLength={REASON_MAX}
          onValue={setOwn}
        />
        <button
          type="submit"
          class="utrecht-button utrecht-button--html-button utrecht-button--secondary-action"
        >
          <span>{t("record_retract_go")}</span>
        </button>
      </form>
      <Button look="subtle" onClick={close}>
        {t("cancel")}
      </Button>
    </Section>
  );
}
