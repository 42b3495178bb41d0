// Above a form that was begun before: that its answers are still there, which of several it goes on with, and a
// way to be rid of it. A carer has several of one form when the tablet did not show the first while the second
// was begun.
import type { DraftForm } from "../drafts.ts";
import { when } from "../format.ts";
import { Alert, Button, ChoiceButton } from "../parts.tsx";
import { useUi } from "../ui.tsx";

interface BegunProps {
  begun: readonly DraftForm[];
  /** the one on the screen */
  draftKey: string;
  /** absent: the form anew */
  show: (key: string | undefined) => void;
}
export function Begun({ begun, draftKey, show }: BegunProps) {
  const { app, t, drafts, say } = useUi();
  const discard = () => {
    const gone = drafts.get(draftKey);
    drafts.drop(draftKey);
    show(drafts.at(begun[0].path)[0]?.key);
    if (!gone) return;
    const back = () => {
      drafts.keep(gone);
      show(gone.key);
    };
    say({ text: t("form_discarded"), action: { label: t("undo"), run: back } });
  };
  return (
    <Alert type="info">
      <p>{t(begun.length > 1 ? "form_drafts" : "form_draft")}</p>
      {begun.length > 1 && (
        <fieldset class="choices" aria-label={t("form_drafts_choose")}>
          {begun.map((d) => (
            <ChoiceButton
              key={d.key}
              name="draft"
              checked={d.key === draftKey}
              onChange={() => show(d.key)}
            >
              {t("form_begun", { time: when(app, d.at) })}
            </ChoiceButton>
          ))}
        </fieldset>
      )}
      <Button look="subtle" onClick={discard}>
        {t("form_discard")}
      </Button>
    </Alert>
  );
}
