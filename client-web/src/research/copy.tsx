// A text to take along, with a button that copies it and says whether that worked.
import { useState } from "preact/hooks";
import { useTexts } from "../desk/desk.tsx";
import { RESEARCH } from "./texts.ts";

interface Props {
  /** for the button: what it copies */
  what: string;
  text: string;
}
export function Copyable({ what, text }: Props) {
  const t = useTexts(RESEARCH);
  const [state, setState] = useState<"" | "copied" | "not_copied">("");
  const copy = () => {
    // without a secure origin the browser has no clipboard
    (navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error("none"))).then(
      () => setState("copied"),
      () => setState("not_copied"),
    );
  };
  return (
    <div class="copyable">
      <pre class="code" tabIndex={0} aria-label={what}>
        {text.trimEnd()}
      </pre>
      <button type="button" class="text-button" aria-label={t("copy_what", { what })} onClick={copy}>
        {t("copy")}
      </button>
      <span role="status">{state && t(state)}</span>
    </div>
  );
}
