// The researcher's page: releases, what changed between them, codebook, examples, citation and own tokens.
import { useMemo, useState } from "preact/hooks";
import { problemText, useAsk, useDesk, useTexts } from "../desk/desk.tsx";
import { Alert } from "../ui/parts.tsx";
import { Copyable } from "./copy.tsx";
import type { Release, Releases } from "./data.ts";
import { Changes, Citing, CodebookButton, Files, ReleaseList } from "./releases.tsx";
import { snippets, type Snippet } from "./snippets.ts";
import { RESEARCH } from "./texts.ts";
import { OwnTokens } from "./tokens.tsx";

export default function Research() {
  const t = useTexts(RESEARCH);
  const { path, l } = useDesk();
  const asked = useAsk<Releases>("/api/releases");
  const releases = asked.value?.releases;
  const chosen = releases?.find((r) => r.id === path[1]) ?? releases?.[0];
  return (
    <div class="research stack">
      <h1 class="utrecht-heading-1">{t("title")}</h1>
      <p class="lead">{t("lead")}</p>
      {asked.error !== undefined && (
        <Alert type="error" live>
          <p>{l(problemText(asked.error))}</p>
        </Alert>
      )}
      {releases && !chosen && (
        <Alert type="info">
          <p>{t("none")}</p>
        </Alert>
      )}
      {releases && chosen && <Chosen releases={releases} chosen={chosen} />}
      <OwnTokens />
    </div>
  );
}

function Chosen({ releases, chosen }: { releases: readonly Release[]; chosen: Release }) {
  return (
    <>
      <ReleaseList releases={releases} chosen={chosen} />
      <Files release={chosen} />
      <div>
        <CodebookButton />
      </div>
      <Changes release={chosen} />
      <Citing release={chosen} />
      <Programs release={chosen} />
    </>
  );
}

function Programs({ release }: { release: Release }) {
  const t = useTexts(RESEARCH);
  const all = useMemo(() => snippets(location.origin, release.id), [release.id]);
  const [name, setName] = useState<Snippet["name"]>("R");
  const shown = all.find((s) => s.name === name)!;
  return (
    <section class="card stack">
      <h2 class="utrecht-heading-2">{t("programs")}</h2>
      <p class="sub">{t("programs_lead")}</p>
      <fieldset class="checks">
        <legend class="visually-hidden">{t("programs")}</legend>
        {all.map((s) => (
          <label key={s.name} class="check">
            <input
              type="radio"
              name="program"
              checked={s.name === name}
              onChange={() => setName(s.name)}
            />
            <span>{s.name}</span>
          </label>
        ))}
      </fieldset>
      <Copyable what={t("example", { name })} text={shown.text} />
    </section>
  );
}
