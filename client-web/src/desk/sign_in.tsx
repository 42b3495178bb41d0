// Signing in: a name and a password, then the code of the moment.
import { useState } from "preact/hooks";
import type { Lang } from "../app/api.ts";
import { Alert, TextInput } from "../ui/parts.tsx";
import { frameText, problemText, useWork } from "./desk.tsx";
import { ApiError, type Session, type Ticket } from "./session.ts";

interface Props {
  session: Session;
  lang: Lang;
  /** somebody was signed in here just now */
  ended: boolean;
  recoveryUsed: (left: number) => void;
}
export function SignIn({ session, lang, ended, recoveryUsed }: Props) {
  const t = (key: Parameters<typeof frameText>[1], fill = {}) => frameText(lang, key, fill);
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [ticket, setTicket] = useState<Ticket | null>(null);
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useWork();
  const startAgain = () => {
    setTicket(null);
    setCode("");
    setPassword("");
    setTried(false);
  };
  const submit = () => {
    setTried(true);
    if (!ticket) {
      if (login.trim() && password)
        run(async () => {
          setTicket(await session.signIn(login.trim(), password));
          setTried(false);
        });
      return;
    }
    if (code.trim())
      run(async () => {
        try {
          const left = await session.enterCode(ticket, code.trim());
          if (left !== null) recoveryUsed(left);
        } catch (e) {
          if (e instanceof ApiError && e.code === "start-again") startAgain();
          throw e;
        }
      });
  };
  const lacks = (value: string) => (tried && !value.trim() ? t("in_empty") : undefined);
  return (
    <div class="narrow">
      <h1 class="utrecht-heading-1">{t(ticket ? "in_code_title" : "in_title")}</h1>
      {!ticket && <p class="lead">{t("in_lead")}</p>}
      {ended && !error && (
        <Alert type="info">
          <p>{t("in_ended")}</p>
        </Alert>
      )}
      <form
        class="card stack"
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        {ticket ? (
          <TextInput
            id="code"
            label={t("in_code")}
            help={t("in_code_help")}
            problem={lacks(code)}
            is="once"
            value={code}
            focus
            onValue={setCode}
          />
        ) : (
          <>
            <TextInput
              id="login"
              label={t("in_name")}
              problem={lacks(login)}
              is="login"
              value={login}
              onValue={setLogin}
            />
            <TextInput
              id="password"
              label={t("in_password")}
              problem={lacks(password)}
              is="password"
              value={password}
              onValue={setPassword}
            />
          </>
        )}
        {error !== null && (
          <Alert type="error" live>
            <p class="strong">{problemText(error)[lang]}</p>
            {error instanceof ApiError && error.retryS > 0 && <p>{t("in_wait", { n: error.retryS })}</p>}
          </Alert>
        )}
        {busy && (
          <p class="loading" role="status">
            {t("in_busy")}
          </p>
        )}
        <button
          type="submit"
          class="utrecht-button utrecht-button--html-button utrecht-button--primary-action wide"
          aria-busy={busy}
        >
          <span>{t(ticket ? "in_go" : "in_next")}</span>
        </button>
        {ticket && (
          <button type="button" class="text-button" onClick={startAgain}>
            {t("in_back")}
          </button>
        )}
      </form>
    </div>
  );
}
