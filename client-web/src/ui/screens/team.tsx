// A tablet of more than one team: which one to look at.
import { ChoiceButton } from "../parts.tsx";
import { useUi } from "../ui.tsx";

export function TeamChoice() {
  const { app, t, team } = useUi();
  const teams = app.teams();
  if (teams.length < 2) return null;
  return (
    <fieldset class="choices team-choice">
      <legend class="visually-hidden">{t("team")}</legend>
      {teams.map((one) => (
        <ChoiceButton
          key={one.id}
          name="team"
          checked={one.id === team?.id}
          onChange={() => void app.set({ team: one.id })}
        >
          {one.name}
        </ChoiceButton>
      ))}
    </fieldset>
  );
}
