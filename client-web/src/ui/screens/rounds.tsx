// Rounds through the night: a tap a client. The time comes by itself; a wrong tap is taken back with another.
import type { Client, Option, Tap } from "../../app/api.ts";
import { time } from "../format.ts";
import { Icon, type IconName } from "../icons.tsx";
import { fieldNamed, ROUNDS } from "../kinds.ts";
import { Alert, Avatar, Button, ErrorAlert, Loading, Title } from "../parts.tsx";
import { useAction, useLoad, useUi } from "../ui.tsx";

export function Rounds() {
  const { app, t, team, minute, mayRead } = useUi();
  const kind = app.kind(ROUNDS);
  const state = kind ? fieldNamed(kind, "state") : undefined;
  const night = app.clock.night(app.clock.now());
  const loaded = useLoad(
    async () => {
      if (!team || !state) return null;
      const [clients, checks] = await Promise.all([app.clients(team.id), mayRead ? recorded() : app.taps()]);
      return { clients, checks: checks.filter((c) => app.clock.night(c.at) === night) };
    },
    [team?.id, night, minute, mayRead],
    ["records", "people", "kinds"],
  );
  async function recorded(): Promise<Tap[]> {
    const days = { fromDay: night, toDay: night + 1 };
    const records = await app.records({ team: team!.id, kind: kind!.id, ...days });
    return records
      .filter((r) => r.retracted !== "yes")
      .map((r) => ({
        id: r.id,
        client: r.client ?? "",
        state: Number(r.values[state!.id]),
        at: r.occurredAt ?? r.createdAt,
      }));
  }
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
            checks={loaded.value!.checks.filter((c) => c.client === client.id)}
          />
        ))}
    </>
  );
}

interface RoundProps {
  client: Client;
  options: readonly Option[];
  checks: readonly Tap[];
}
function Round({ client, options, checks }: RoundProps) {
  const { app, t, l, team, say, mayRead } = useUi();
  const { error, run } = useAction();
  const sorted = [...checks].sort((a, b) => b.at - a.at);
  const last = sorted[0];
  const label = (code: number) => {
    const option = options.find((o) => o.code === code);
    return option ? l(option.label) : "";
  };
  const undo = (id: string) =>
    run(async () => {
      await app.takeBack(id, t("rounds_wrong_tap"));
      say({ text: t("rounds_undone", { name: client.label }) });
    });
  const tap = (option: Option) =>
    run(async () => {
      const id = await app.check(client.id, team!.id, option.code);
      say({
        text: t("rounds_saved", { name: client.label, state: l(option.label) }),
        action: { label: t("undo"), run: () => undo(id) },
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
              <span key={r.id} class={`check state-${r.state}`}>
                <b>{time(app, r.at)}</b>
                {i === 0 && <span>{label(r.state)}</span>}
              </span>
            ))}
          </p>
        </div>
        {!mayRead && last && (
          <Button
            label={t("rounds_undo", {
              name: client.label,
              time: time(app, last.at),
              state: label(last.state),
            })}
            onClick={() => undo(last.id)}
          >
            {t("undo")}
          </Button>
        )}
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
