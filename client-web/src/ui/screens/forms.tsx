// A new entry, and a change of one.
import type { KindInfo, Value, Values } from "../../app/api.ts";
import { Entry } from "../form/entry.tsx";
import { answered } from "../form/model.ts";
import { fieldNamed, hintsOf } from "../kinds.ts";
import { Alert, Button, ErrorAlert, Loading, Title } from "../parts.tsx";
import { fromHere, href, useLoad, useUi } from "../ui.tsx";

const REMEMBER_DAYS = 28;

export function NewEntry({ kindName, clientId }: { kindName: string; clientId: string }) {
  const { app, t, l, team, say, mayRead } = useUi();
  const kind = app.kind(kindName);
  const client = useLoad(() => app.client(clientId), [clientId], []);
  const start = useLoad(async () => (kind && team ? startOf() : {}), [kind?.id, clientId, team?.id], []);
  if (client.error ?? start.error) return <ErrorAlert error={client.error ?? start.error} />;
  if (client.value === undefined || !start.value) return <Loading />;
  if (!kind || !team || client.value === null)
    return (
      <Alert type="info">
        <p>{t("gone")}</p>
      </Alert>
    );
  if (kind.readonly) return <Unreadable kind={kind} />;
  const teamId = client.value.teams.includes(team.id) ? team.id : (client.value.teams[0] ?? team.id);

  async function startOf(): Promise<Values> {
    const values: Record<number, Value> = { ...(await app.prefill(kind!.id, clientId, team!.id)) };
    for (const [name, code] of Object.entries(hintsOf(kind!).start)) {
      const field = fieldNamed(kind!, name);
      if (field?.options.some((o) => o.code === code) && !answered(values[field.id])) values[field.id] = code;
    }
    const lacking = hintsOf(kind!)
      .remember.map((name) => fieldNamed(kind!, name))
      .filter((f) => f && !answered(values[f.id]));
    if (!lacking.length || !mayRead) return values;
    const today = app.clock.day(app.clock.now());
    const last = await app.records({
      client: clientId,
      kind: kind!.id,
      fromDay: today - REMEMBER_DAYS,
      toDay: today,
      limit: 1,
    });
    for (const f of lacking) if (f && answered(last[0]?.values[f.id])) values[f.id] = last[0].values[f.id];
    return values;
  }
  const save = async (_: Values, all: Values) => {
    const goOn = fromHere();
    await app.save({ kind: kind.id, team: teamId, client: clientId, values: all });
    say({ text: t("form_saved") });
    goOn("client", clientId);
  };
  return (
    <>
      <Title icon={hintsOf(kind).icon} sub={client.value.label}>
        {l(kind.label)}
      </Title>
      <Entry
        kind={kind}
        path={href("new", kindName, clientId)}
        client={clientId}
        teamId={teamId}
        start={start.value}
        usualTimes={mayRead ? (day) => app.usualTimes(kind.id, clientId, day) : undefined}
        editing={false}
        save={save}
      />
    </>
  );
}

export function EditEntry({ id, heldIndex }: { id: string; heldIndex: number | null }) {
  const { app, t, l, team, say } = useUi();
  // what the form was drawn from; what others change meanwhile meets as a conflict
  const record = useLoad(() => app.record(id), [id], []);
  const client = useLoad(
    async () => (record.value?.client ? app.client(record.value.client) : null),
    [id, record.value?.client],
    [],
  );
  if (record.error) return <ErrorAlert error={record.error} />;
  if (record.value === undefined || client.value === undefined) return <Loading />;
  const seen = record.value;
  const kind = seen && app.kind(seen.kind);
  if (!seen || !kind)
    return (
      <Alert type="info">
        <p>{t("gone")}</p>
      </Alert>
    );
  if (kind.readonly) return <Unreadable kind={kind} />;
  const held = heldIndex === null ? undefined : seen.held[heldIndex];
  const save = async (changed: Values) => {
    const goOn = fromHere();
    await app.edit(seen, changed);
    say({ text: t("form_saved") });
    goOn("record", id);
  };
  return (
    <>
      <Title icon={hintsOf(kind).icon} sub={client.value?.label}>
        {t("form_edit_title", { kind: l(kind.label) })}
      </Title>
      <Entry
        kind={kind}
        path={heldIndex === null ? href("edit", id) : href("edit", id, heldIndex)}
        client={seen.client}
        teamId={seen.team ?? team?.id ?? ""}
        start={seen.values}
        begin={held?.values}
        editing
        save={save}
      />
    </>
  );
}

/** The form was made for a later app: what is there stays there. */
function Unreadable({ kind }: { kind: KindInfo }) {
  const { app, t, l } = useUi();
  return (
    <>
      <Title icon={hintsOf(kind).icon}>{l(kind.label)}</Title>
      <Alert type="warning">
        <p class="strong">{t("kind_readonly")}</p>
        <p>{t("kind_readonly_todo")}</p>
        {app.update.ready && <Button onClick={() => app.applyUpdate()}>{t("update_now")}</Button>}
      </Alert>
    </>
  );
}
