// What somebody must look at: conflicts settled with a tap, possible doubles side by side.
import { useState } from "preact/hooks";
import type { FieldInfo, FieldView, KindInfo, RecordView, Said, Value } from "../../app/api.ts";
import { Field } from "../form/fields.tsx";
import { answered, sameValue } from "../form/model.ts";
import { shortDay, valueText, when } from "../format.ts";
import { Icon } from "../icons.tsx";
import { hintsOf } from "../kinds.ts";
import { Alert, Button, ErrorAlert, Loading, Title, classes } from "../parts.tsx";
import { happened, RecordRow, refsOf } from "../record.tsx";
import { fromHere, href, replace, useAction, useLabels, useLoad, useUi } from "../ui.tsx";

const RETRACTION = 1;

export function Attention() {
  const ui = useUi();
  const { app, t, team } = ui;
  const list = useLoad(async () => {
    const records = team ? await app.attention(team.id) : [];
    const clients = new Map(
      await Promise.all(
        [...new Set(records.map((r) => r.client ?? ""))]
          .filter(Boolean)
          .map(async (id) => [id, (await app.client(id))?.label] as const),
      ),
    );
    return { records, clients };
  }, [team?.id]);
  const labels = useLabels((list.value?.records ?? []).flatMap((r) => refsOf(ui, r)));
  return (
    <>
      <Title icon="warning">{t("attention_title")}</Title>
      <ErrorAlert error={list.error} />
      {!list.value && !list.error && <Loading />}
      {list.value?.records.length === 0 && (
        <Alert type="ok">
          <p>{t("attention_none")}</p>
        </Alert>
      )}
      <div class="rows">
        {list.value?.records.map((r) => (
          <RecordRow key={r.id} record={r} labels={labels} client={list.value!.clients.get(r.client ?? "")} />
        ))}
      </div>
    </>
  );
}

export function Settle({ id }: { id: string }) {
  const ui = useUi();
  const { app, t, l } = ui;
  const loaded = useLoad(() => app.record(id), [id]);
  const record = loaded.value;
  const client = useLoad(
    async () => (record?.client ? app.client(record.client) : null),
    [record?.client],
    ["people"],
  );
  if (loaded.error) return <ErrorAlert error={loaded.error} />;
  if (record === undefined) return <Loading />;
  const kind = record && app.kind(record.kind);
  if (!record || !kind)
    return (
      <Alert type="info">
        <p>{t("gone")}</p>
      </Alert>
    );
  const fields = record.fields.filter(
    (view) => view.field !== RETRACTION && record.conflicts.includes(view.field),
  );
  return (
    <>
      <Title
        icon={hintsOf(kind).icon}
        sub={[client.value?.label, happened(ui, record)].filter(Boolean).join(" · ")}
      >
        {t("settle")}: {l(kind.label)}
      </Title>
      {record.conflicts.length > 0 ? (
        <p class="lead">{t("settle_lead")}</p>
      ) : (
        <Alert type="ok" live>
          <p>{t("settle_all_done")}</p>
        </Alert>
      )}
      {record.conflicts.includes(RETRACTION) && <SettleRetraction record={record} />}
      {fields.map((view) => {
        const field = kind.fields.find((f) => f.id === view.field);
        return (
          field && <SettleField key={view.field} record={record} kind={kind} field={field} view={view} />
        );
      })}
      {record.conflicts.length === 0 && (
        <Button look="primary-action" wide onClick={() => replace("record", id)}>
          {t("close")}
        </Button>
      )}
    </>
  );
}

interface SettleProps {
  record: RecordView;
  kind: KindInfo;
  field: FieldInfo;
  view: FieldView;
}
function SettleField({ record, kind, field, view }: SettleProps) {
  const { app, t, l, say, team } = useUi();
  const [other, setOther] = useState(false);
  const { busy, error, run } = useAction();
  const saids: Said[] = [view, ...view.others];
  const labels = useLabels(
    field.type === "ref" ? saids.map((s) => s.value).filter((v) => typeof v === "string") : [],
  );
  const choices = useLoad(
    async () => (field.type === "ref" && team ? app.choices(field, team.id) : []),
    [field.id],
    [],
  ).value;
  const settle = (value: Value) =>
    run(async () => {
      await app.resolve(record, field.id, value);
      say({ text: t("settle_done", { value: valueText(app, field, value, labels) }) });
    });
  return (
    <section class="settle card" data-field={field.name}>
      <h2 class="utrecht-heading-2">{l(field.label)}</h2>
      <ErrorAlert error={error} />
      <div class="sides">
        {saids.map((said, i) => (
          <div class="side" key={i}>
            <p class="side-value">
              {valueText(app, field, said.value, labels)}
              {field.type === "datetime" && typeof said.value === "number" && said.value > 0 && (
                <span class="sub"> {shortDay(app.settings.lang, app.clock.day(said.value))}</span>
              )}
            </p>
            <Who said={said} />
            <Button look="primary-action" wide busy={busy} onClick={() => settle(said.value)}>
              {t("settle_this")}
            </Button>
          </div>
        ))}
      </div>
      {other ? (
        <Field
          kind={kind}
          field={field}
          values={{ ...record.values, [field.id]: null }}
          usual={view.value}
          copied={false}
          optional={false}
          problems={[]}
          choices={choices}
          onChange={(value) =>
            answered(value) && field.type !== "text" && field.type !== "codeset" && settle(value)
          }
          onConfirm={() => undefined}
        />
      ) : (
        !["text", "codeset", "refset"].includes(field.type) && (
          <Button look="subtle" onClick={() => setOther(true)}>
            {t("settle_other")}
          </Button>
        )
      )}
    </section>
  );
}

function Who({ said }: { said: Said }) {
  const { app, t } = useUi();
  return (
    <p class="side-who">
      <b>{said.byName ?? t("settle_nobody")}</b>
      <span>{when(app, said.at)}</span>
      {said.clockSuspect && (
        <span class="suspect">
          <Icon name="warning" /> {t("clock_suspect")}
        </span>
      )}
    </p>
  );
}

function SettleRetraction({ record }: { record: RecordView }) {
  const { app, t, say } = useUi();
  const { busy, error, run } = useAction();
  const settle = (reason: string | null) =>
    run(async () => {
      await app.resolve(record, RETRACTION, reason);
      say({ text: t(reason === null ? "record_undone" : "record_retracted_done") });
    });
  const reason = String(record.retraction?.value ?? t("record_reason_double"));
  return (
    <section class="settle card" data-field="retracted">
      <h2 class="utrecht-heading-2">{t("settle_retraction")}</h2>
      <p>{t("settle_retraction_lead")}</p>
      <ErrorAlert error={error} />
      {record.retraction && (
        <div class="side">
          <p class="side-value">{t("record_retracted", { reason })}</p>
          <Who said={record.retraction} />
        </div>
      )}
      <div class="sides">
        <Button look="primary-action" wide busy={busy} onClick={() => settle(null)}>
          {t("settle_keep")}
        </Button>
        <Button wide busy={busy} onClick={() => settle(reason)}>
          {t("settle_drop")}
        </Button>
      </div>
    </section>
  );
}

export function Double({ id }: { id: string }) {
  const ui = useUi();
  const { app, t, l } = ui;
  const loaded = useLoad(async () => {
    const first = await app.record(id);
    const rest = await Promise.all((first?.doubles ?? []).map((d) => app.record(d)));
    const records = [first, ...rest].filter((r) => r !== null).sort((a, b) => a.createdAt - b.createdAt);
    const client = first?.client ? await app.client(first.client) : null;
    return { records, client };
  }, [id]);
  const labels = useLabels((loaded.value?.records ?? []).flatMap((r) => refsOf(ui, r)));
  if (loaded.error) return <ErrorAlert error={loaded.error} />;
  if (!loaded.value) return <Loading />;
  const { records, client } = loaded.value;
  const kind = records.length ? app.kind(records[0].kind) : null;
  if (!kind || records.length < 2)
    return (
      <Alert type="ok">
        <p>{t("attention_none")}</p>
      </Alert>
    );
  return (
    <>
      <Title
        icon="copy"
        sub={[l(kind.label), client?.label, happened(ui, records[0])].filter(Boolean).join(" · ")}
      >
        {t("double_title")}
      </Title>
      <p class="lead">{t("double_lead", { n: records.length })}</p>
      <div class="sides doubles">
        {records.map((record, i) => (
          <OneOfDoubles
            key={record.id}
            n={i + 1}
            record={record}
            others={records.filter((r) => r !== record)}
            kind={kind}
            labels={labels}
          />
        ))}
      </div>
      <Button wide onClick={() => history.back()}>
        {t("double_keep")}
      </Button>
    </>
  );
}

interface DoubleProps {
  n: number;
  record: RecordView;
  others: RecordView[];
  kind: KindInfo;
  labels: ReadonlyMap<string, string>;
}
function OneOfDoubles({ n, record, others, kind, labels }: DoubleProps) {
  const { app, t, l, say } = useUi();
  const { busy, error, run } = useAction();
  const all = [record, ...others];
  const fields = kind.fields.filter((f) => all.some((r) => answered(r.values[f.id])));
  const differs = (f: FieldInfo) => others.some((o) => !sameValue(o.values[f.id], record.values[f.id]));
  const same = fields.filter((f) => !differs(f));
  const drop = () =>
    run(async () => {
      const goOn = fromHere();
      await app.retract(record, t("record_reason_double"));
      say({ text: t("record_retracted_done") });
      goOn("record", others[0].id);
    });
  return (
    <section class="card side">
      <h2 class="utrecht-heading-3">{t("double_entry", { n })}</h2>
      <p class="side-who">
        <b>{record.createdByName ?? t("unknown_person")}</b>
        <span>{when(app, record.createdAt)}</span>
      </p>
      <OfDouble of={fields.filter(differs)} record={record} labels={labels} differ />
      {same.length > 0 && (
        <details class="same">
          <summary>
            {t("double_same")}: {same.map((f) => l(f.label)).join(", ")}
          </summary>
          <OfDouble of={same} record={record} labels={labels} />
        </details>
      )}
      <ErrorAlert error={error} />
      <Button wide busy={busy} onClick={drop}>
        {t("double_drop")}
      </Button>
      <a class="more-link" href={href("record", record.id)}>
        {t("record_edit")}
      </a>
    </section>
  );
}

interface OfDoubleProps {
  of: readonly FieldInfo[];
  record: RecordView;
  labels: ReadonlyMap<string, string>;
  differ?: boolean;
}
function OfDouble({ of, record, labels, differ }: OfDoubleProps) {
  const { app, l } = useUi();
  return (
    <dl class="values">
      {of.map((f) => (
        <div key={f.id} class={classes("value-row", differ && "differs")}>
          <dt>{l(f.label)}</dt>
          <dd>
            <span class="value">{valueText(app, f, record.values[f.id], labels)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
