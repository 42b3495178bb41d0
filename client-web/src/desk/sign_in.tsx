// Signing in: a name and a password, then the code of the moment.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Lang } from "../app/api.ts";
import { Alert, classes } from "../ui/parts.tsx";
import { frameText, problemText, useWork } from "./desk.tsx";
import { ApiError, type Session, type Ticket } from "./session.ts";

interface FieldProps {
  id: string;
  label: string;
  help?: string;
  problem?: string;
  type?: "text" | "password";
  autoComplete: string;
  value: string;
  focus?: boolean;
  onValue: (value: string) => void;
}
function Field({ id, label, help, problem, type = "text", autoComplete, value, focus, onValue }: FieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focus) input.current?.focus();
  }, [focus]);
  return (
    <div class="utrecht-form-field">
      <label class="utrecht-form-label" for={id}>
        {label}
      </label>
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      <input
        ref={input}
        id={id}
        type={type as "text"}
        value={value}
        autoComplete={autoComplete}
        autoCapitalize="none"
        spellcheck={false}
        class={classes(
          "utrecht-textbox",
          "utrecht-textbox--html-input",
          problem && "utrecht-textbox--invalid",
        )}
        aria-invalid={problem ? true : undefined}
        aria-describedby={classes(help && `${id}-help`, problem && `${id}-problem`) || undefined}
        onInput={(e) => onValue(e.currentTarget.value)}
      />
      {problem && (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}

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
          <Field
            id="code"
            label={t("in_code")}
            help={t("in_code_help")}
            problem={lacks(code)}
            autoComplete="one-time-code"
            value={code}
            focus
            onValue={setCode}
          />
        ) : (
          <>
            <Field
              id="login"
              label={t("in_name")}
              problem={lacks(login)}
              autoComplete="username"
              value={login}
              onValue={setLogin}
            />
            <Field
              id="password"
              label={t("in_password")}
              problem={lacks(password)}
              type="password"
              autoComplete="current-password"
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
