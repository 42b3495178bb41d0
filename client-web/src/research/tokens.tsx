// A person's own tokens: made here, shown once, ended here.
import { useState } from "preact/hooks";
import { problemText, useAsk, useDesk, useTexts, useWork } from "../desk/desk.tsx";
import { TableFrame } from "../desk/frames.tsx";
import { Alert, Button, TextInput } from "../ui/parts.tsx";
import { Copyable } from "./copy.tsx";
import type { NewToken, Token, Tokens } from "./data.ts";
import { dayName, timeName } from "./format.ts";
import { RESEARCH } from "./texts.ts";

type Key = keyof typeof RESEARCH & string;
const DAYS = 180;

export function OwnTokens() {
  const t = useTexts(RESEARCH);
  const { session, l } = useDesk();
  const asked = useAsk<Tokens>("/api/tokens");
  const [made, setMade] = useState<NewToken | null>(null);
  const work = useWork();
  const revoke = (token: Token) =>
    work.run(async () => {
      await session.post("/api/tokens/revoke", { id: token.id });
      if (made?.id === token.id) setMade(null);
      asked.again();
    });
  const problem = asked.error ?? work.error;
  return (
    <section class="card stack" id="tokens">
      <h2 class="utrecht-heading-2">{t("tokens")}</h2>
      <p class="sub">{t("tokens_lead")}</p>
      {problem !== null && problem !== undefined && (
        <Alert type="error" live>
          <p>{l(problemText(problem))}</p>
        </Alert>
      )}
      {made && (
        <Alert type="ok" live>
          <p class="strong">{t("new_token")}</p>
          <p>{t("new_token_once")}</p>
          <Copyable what={t("the_token")} text={made.token} />
        </Alert>
      )}
      {asked.value && <TokenTable tokens={asked.value.tokens} revoke={revoke} />}
      {asked.value && (
        <TokenForm
          tokens={asked.value}
          made={(token) => {
            setMade(token);
            asked.again();
          }}
        />
      )}
    </section>
  );
}

function TokenTable({ tokens, revoke }: { tokens: readonly Token[]; revoke: (token: Token) => void }) {
  const t = useTexts(RESEARCH);
  const { lang } = useDesk();
  const at = (seconds: number) => new Date(seconds * 1000);
  if (!tokens.length) return <p>{t("tokens_none")}</p>;
  return (
    <TableFrame label={t("tokens")}>
      <table class="data">
        <thead>
          <tr>
            {(["label", "dataset", "expires", "last_used", "state"] as const).map((k) => (
              <th key={k} scope="col">
                {t(k)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...tokens]
            .sort((a, b) => b.created - a.created)
            .map((token) => (
              <tr key={token.id}>
                <th scope="row">
                  {token.label} <span class="hash">{token.id}</span>
                </th>
                <td>
                  {token.datasets === "*"
                    ? t("for_all")
                    : token.datasets
                        .split(" ")
                        .map((d) => t(`ds_${d}` as Key))
                        .join(", ")}
                </td>
                <td>{dayName(lang, at(token.expires))}</td>
                <td>{token.last_used === null ? t("never") : timeName(lang, at(token.last_used))}</td>
                <td>
                  {t(token.state.replace(" ", "_") as Key)}
                  {token.state === "in use" && (
                    <button
                      type="button"
                      class="text-button"
                      aria-label={t("revoke_what", { name: token.label })}
                      onClick={() => revoke(token)}
                    >
                      {t("revoke")}
                    </button>
                  )}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function TokenForm({ tokens, made }: { tokens: Tokens; made: (token: NewToken) => void }) {
  const t = useTexts(RESEARCH);
  const { session, l } = useDesk();
  const [label, setLabel] = useState("");
  const [days, setDays] = useState(String(DAYS));
  const [datasets, setDatasets] = useState<readonly string[]>([]);
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useWork();
  const good = /^\d{1,3}$/.test(days) && +days >= 1 && +days <= tokens.days_max;
  const make = () => {
    setTried(true);
    if (!label.trim() || !good) return;
    run(async () => {
      const token = await session.post<NewToken>("/api/tokens", { label: label.trim(), days: +days, datasets });
      setLabel("");
      setTried(false);
      made(token);
    });
  };
  return (
    <form
      class="stack"
      onSubmit={(e) => {
        e.preventDefault();
        make();
      }}
    >
      <TextInput
        id="token-label"
        label={t("label")}
        help={t("label_help")}
        value={label}
        maxLength={80}
        problem={tried && !label.trim() ? t("empty") : undefined}
        onValue={setLabel}
      />
      <TextInput
        id="token-days"
        label={t("days")}
        help={t("days_help", { n: tokens.days_max })}
        value={days}
        maxLength={3}
        problem={tried && !good ? t("bad_days", { n: tokens.days_max }) : undefined}
        onValue={setDays}
      />
      <fieldset class="stack">
        <legend class="utrecht-form-label">{t("which")}</legend>
        <p class="help">{t("which_help")}</p>
        <div class="checks">
          {tokens.datasets.map((d) => (
            <label key={d} class="check">
              <input
                type="checkbox"
                checked={datasets.includes(d)}
                onChange={(e) =>
                  setDatasets(
                    e.currentTarget.checked ? [...datasets, d] : datasets.filter((other) => other !== d),
                  )
                }
              />
              <span>{t(`ds_${d}` as Key)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {error !== null && (
        <Alert type="error" live>
          <p>{l(problemText(error))}</p>
        </Alert>
      )}
      <div>
        <Button look="primary-action" busy={busy} onClick={make}>
          {t(busy ? "making" : "make")}
        </Button>
      </div>
    </form>
  );
}
