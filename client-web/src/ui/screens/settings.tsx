// Language, light, locking, PINs of colleagues; what tablet this is.
import type { Lang, Settings as Chosen } from "../../app/api.ts";
import { ChoiceButton, Button, ErrorAlert, Section, Title, Avatar } from "../parts.tsx";
import { useAction, useLoad, useUi } from "../ui.tsx";

const LANGUAGES: readonly [Lang, string][] = [
  ["nl", "Nederlands"],
  ["en", "English"],
];
const THEMES = ["system", "light", "dark"] as const;
const IDLE_MIN = [2, 5, 10] as const;

export function Settings() {
  const { app, t } = useUi();
  const { settings, device } = app;
  const set = (change: Partial<Chosen>) => void app.set(change);
  const facts = [
    [t("settings_name"), device.name],
    [t("settings_organisation"), device.organisation],
    [t("settings_version"), app.version],
    [t("settings_offline"), t(app.update.offlineReady ? "yes" : "no")],
    [t("settings_persistent"), t(device.persistent ? "yes" : "no")],
  ];
  return (
    <div class="narrow">
      <Title icon="gear">{t("settings")}</Title>
      <Choices
        name="lang"
        label={t("settings_language")}
        of={LANGUAGES}
        chosen={settings.lang}
        choose={(lang) => set({ lang })}
      />
      <Choices
        name="theme"
        label={t("settings_theme")}
        of={THEMES.map((theme) => [theme, t(`theme_${theme}`)])}
        chosen={settings.theme}
        choose={(theme) => set({ theme })}
      />
      <Choices
        name="idle"
        label={t("settings_idle")}
        of={IDLE_MIN.map((n) => [n * 60, t("settings_idle_min", { n })])}
        chosen={settings.idleLockS}
        choose={(idleLockS) => set({ idleLockS })}
      />
      <Pins />
      <Section title={t("settings_tablet")}>
        <dl class="values card">
          {facts.map(([name, value]) => (
            <div class="value-row" key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {app.update.ready && <Button onClick={() => app.applyUpdate()}>{t("update_now")}</Button>}
      </Section>
    </div>
  );
}

interface ChoicesProps<T> {
  name: string;
  label: string;
  of: readonly (readonly [T, string])[];
  chosen: T;
  choose: (value: T) => void;
}
function Choices<T extends string | number>({ name, label, of, chosen, choose }: ChoicesProps<T>) {
  return (
    <fieldset class="question">
      <legend class="question-label">{label}</legend>
      <div class="choices">
        {of.map(([value, words]) => (
          <ChoiceButton key={value} name={name} checked={chosen === value} onChange={() => choose(value)}>
            {name === "lang" ? <span lang={String(value)}>{words}</span> : words}
          </ChoiceButton>
        ))}
      </div>
    </fieldset>
  );
}

function Pins() {
  const { app, t, team, say } = useUi();
  const people = useLoad(async () => (team ? app.people(team.id) : []), [team?.id], ["people", "person"]);
  const { error, run } = useAction();
  const others = (people.value ?? []).filter((p) => p.hasPin && p.id !== app.person?.id);
  const clear = (id: string, name: string) =>
    run(async () => {
      await app.clearPin(id);
      say({ text: t("settings_pin_cleared", { name }) });
    });
  return (
    <Section title={t("settings_pins")}>
      <p class="help">{t(others.length ? "settings_pins_help" : "settings_pin_none")}</p>
      <ErrorAlert error={error} />
      <ul class="pins">
        {others.map((p) => (
          <li key={p.id}>
            <Avatar name={p.name} />
            <span class="card-name">{p.name}</span>
            <Button
              label={t("settings_pin_clear_label", { name: p.name })}
              onClick={() => clear(p.id, p.name)}
            >
              {t("settings_pin_clear")}
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}
