// Rounds through the night: a tap a client. The time comes by itself; a wrong tap is taken back with another.
import type { Client, Option, RecordView } from "../../app/api.ts";
import { time } from "../format.ts";
import { Icon, type IconName } from "../icons.tsx";
import { fieldNamed, ROUNDS } from "../kinds.ts";
import { Alert, Avatar, ErrorAlert, Loading, Title } from "../parts.tsx";
import { useAction, useLoad, useUi } from "../ui.tsx";

export function Rounds() {
  const { app, t, team, minute, mayRead } = useUi();
  const kind = app.kind(ROUNDS);
  const state = kind ? fieldNamed(kind, "state") : undefined;
  const night = app.clock.night(app.clock.now());
  const loaded = useLoad(
    async () => {
      if (!team || !kind) return null;
      const [clients, checks] = await Promise.all([
        app.clients(team.id),
        mayRead ? app.records({ team: team.id, kind: kind.id, fromDay: night, toDay: night + 1 }) : [],
      ]);
      return {
        clients,
        checks: checks.filter(
          (r) => r.retracted !== "yes" && app.clock.night(r.occurredAt ?? r.createdAt) === night,
        ),
      };
    },
    [team?.id, night, minute, mayRead],
    ["records", "people", "kinds"],
  );
  return (
    <>
      <Title icon="eye" sub={t("rounds_lead")}>
        {t("rounds_title")}
      </Title>
      <ErrorAlert error={loaded.error} />
      {!mayRead && <p class="help">{t("entry_only_rounds")}</p>}
      {!state && (
        <Alert type="info">
          <p>{t("rounds_no_kind")}</p>
        </Alert>
      )}
      {!loaded.value && !loaded.error && state && <Loading />}
      {state &&
        loaded.value?.clients.map((client) => (
          <Round
            key={client.id}
            client={client}
            options={state.options}
            stateField={state.id}
            checks={loaded.value!.checks.filter((r) => r.client === client.id)}
          />
        ))}
    </>
  );
}

interface RoundProps {
  client: Client;
  options: readonly Option[];
  stateField: number;
  checks: readonly RecordView[];
}
function Round({ client, options, stateField, checks }: RoundProps) {
  const { app, t, l, team, say, mayRead } = useUi();
  const { error, run } = useAction();
  const sorted = [...checks].sort((a, b) => (b.occurredAt ?? 0) - (a.occurredAt ?? 0));
  const label = (code: unknown) => {
    const option = options.find((o) => o.code === code);
    return option ? l(option.label) : "";
  };
  const undo = async (id: string) => {
    const record = await app.record(id);
    if (record) await app.retract(record, t("rounds_wrong_tap"));
    say({ text: t("rounds_undone", { name: client.label }) });
  };
  const tap = (option: Option) =>
    run(async () => {
      const id = await app.check(client.id, team!.id, option.code);
      say({
        text: t("rounds_saved", { name: client.label, state: l(option.label) }),
        ...(mayRead && { action: { label: t("undo"), run: () => void undo(id) } }),
      });
    });
  return (
    <section class="round card">
      <div class="round-head">
        <Avatar name={client.label} />
        <div>
          <h2 class="utrecht-heading-3">{client.label}</h2>
          <p class="sub">
            {sorted.length === 0 && mayRead && t("rounds_none")}
            {sorted.slice(0, 4).map((r, i) => (
              <span key={r.id} class={`check state-${Number(r.values[stateField])}`}>
                <b>{time(app, r.occurredAt ?? r.createdAt)}</b>
                {i === 0 && <span>{label(r.values[stateField])}</span>}
              </span>
            ))}
          </p>
        </div>
      </div>
      <ErrorAlert error={error} />
      <div class="round-buttons" role="group" aria-label={t("client_check_title", { name: client.label })}>
        {options.map((option) => (
          <button
            type="button"
            key={option.code}
            class={`round-button state-${option.code}`}
            onClick={() => tap(option)}
          >
            <Icon name={STATE_ICON[option.code] ?? "eye"} />
            <span class="first-upper">{l(option.label)}</span>
          </button>
        ))}
      </div>
    </section>
  );
}

const STATE_ICON: Readonly<Record<number, IconName>> = {
  1: "moon",
  2: "eye",
  3: "warning",
  4: "up",
  5: "help",
};
