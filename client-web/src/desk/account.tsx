// One's own account: who one is here, and another password.
import { useState } from "preact/hooks";
import { Alert, TextInput } from "../ui/parts.tsx";
import { problemText, useAsk, useDesk, useTexts, useWork } from "./desk.tsx";
import { ApiError, type Me } from "./session.ts";
import type { Texts } from "./texts.ts";

const TEXTS = {
  title: ["Mijn account", "My account"],
  name: ["Naam", "Name"],
  login: ["Inlognaam", "Sign-in name"],
  role: ["Rol", "Role"],
  organisation: ["Organisatie", "Organisation"],
  care_staff: ["begeleider", "carer"],
  project_lead: ["projectleider", "project lead"],
  expert: ["expert", "expert"],
  org_admin: ["beheerder van de organisatie", "administrator of the organisation"],
  researcher: ["onderzoeker", "researcher"],
  programme_admin: ["beheerder van het programma", "administrator of the programme"],
  privacy_officer: ["functionaris gegevensbescherming", "privacy officer"],
  password: ["Wachtwoord wijzigen", "Change password"],
  lead: [
    "Daarna bent u op andere plekken uitgelogd. Hier werkt u gewoon verder.",
    "You are then signed out everywhere else. Here you go on working.",
  ],
  now: ["Huidig wachtwoord", "Present password"],
  next: ["Nieuw wachtwoord", "New password"],
  next_help: [
    "Minstens 10 tekens. Een paar losse woorden achter elkaar onthoudt u goed en raadt een ander slecht.",
    "At least 10 characters. A few unrelated words are easy to keep in mind and hard to guess.",
  ],
  repeat: ["Nieuw wachtwoord, nog een keer", "New password, once more"],
  code: ["Code", "Code"],
  code_help: [
    "De zes cijfers uit de app op uw telefoon. Elke code werkt één keer: wacht op een nieuwe als u net inlogde.",
    "The six digits of the app on your phone. A code works once: wait for the next if you signed in just now.",
  ],
  go: ["Wachtwoord wijzigen", "Change password"],
  busy: ["Even controleren …", "Checking …"],
  empty: ["Vul dit in.", "Fill this in."],
  short: ["Dit zijn minder dan 10 tekens.", "These are fewer than 10 characters."],
  differs: ["Dit is niet hetzelfde als hierboven.", "This differs from the one above."],
  wait: ["Probeer het over {n} seconden opnieuw.", "Try again in {n} seconds."],
  done: ["Uw wachtwoord is gewijzigd.", "Your password has been changed."],
  ended: [
    "Op andere plekken was u ook ingelogd ({n}×). Daar bent u nu uitgelogd.",
    "You were signed in elsewhere too ({n}×). You are signed out there now.",
  ],
  lost: [
    "Wachtwoord of telefoon kwijt? De beheerder kan u nieuwe gegevens geven.",
    "Lost your password or phone? The administrator can give you new ones.",
  ],
} as const satisfies Texts;

/** The server's own rule, told before anything is sent. */
const LETTERS_MIN = 10;

export default function Account() {
  const t = useTexts(TEXTS);
  const { me } = useDesk();
  const { value } = useAsk<Me & { login: string }>("/api/me");
  return (
    <div class="narrow stack">
      <h1 class="utrecht-heading-1">{t("title")}</h1>
      <dl class="card held-values">
        <dt>{t("name")}</dt>
        <dd>{me.name}</dd>
        <dt>{t("login")}</dt>
        <dd>{value?.login ?? "…"}</dd>
        <dt>{t("role")}</dt>
        <dd>{t(me.role)}</dd>
        <dt>{t("organisation")}</dt>
        <dd>{me.organisation.name}</dd>
      </dl>
      <PasswordForm />
      <p>{t("lost")}</p>
    </div>
  );
}

function PasswordForm() {
  const t = useTexts(TEXTS);
  const { session, l } = useDesk();
  const [now, setNow] = useState("");
  const [next, setNext] = useState("");
  const [repeat, setRepeat] = useState("");
  const [code, setCode] = useState("");
  const [tried, setTried] = useState(false);
  const [ended, setEnded] = useState<number | null>(null);
  const { busy, error, run } = useWork();
  const problems = {
    now: now ? undefined : t("empty"),
    next: [...next].length >= LETTERS_MIN ? undefined : t(next ? "short" : "empty"),
    repeat: repeat === next ? undefined : t("differs"),
    code: code.trim() ? undefined : t("empty"),
  };
  const submit = () => {
    setTried(true);
    setEnded(null);
    if (Object.values(problems).some(Boolean)) return;
    run(async () => {
      setEnded(await session.changePassword(now, next, code.trim()));
      for (const empty of [setNow, setNext, setRepeat, setCode]) empty("");
      setTried(false);
    });
  };
  const shown = (key: keyof typeof problems) => (tried ? problems[key] : undefined);
  return (
    <form
      class="card stack"
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <h2 class="utrecht-heading-2">{t("password")}</h2>
      <p>{t("lead")}</p>
      <TextInput id="pw-now" is="password" label={t("now")} problem={shown("now")} value={now} onValue={setNow} />
      <TextInput
        id="pw-next"
        is="password_new"
        label={t("next")}
        help={t("next_help")}
        problem={shown("next")}
        value={next}
        onValue={setNext}
      />
      <TextInput
        id="pw-repeat"
        is="password_new"
        label={t("repeat")}
        problem={shown("repeat")}
        value={repeat}
        onValue={setRepeat}
      />
      <TextInput
        id="pw-code"
        is="once"
        label={t("code")}
        help={t("code_help")}
        problem={shown("code")}
        value={code}
        onValue={setCode}
      />
      {error !== null && (
        <Alert type="error" live>
          <p class="strong">{l(problemText(error))}</p>
          {error instanceof ApiError && error.retryS > 0 && <p>{t("wait", { n: error.retryS })}</p>}
        </Alert>
      )}
      {busy && (
        <p class="loading" role="status">
          {t("busy")}
        </p>
      )}
      {ended !== null && (
        <Alert type="ok" live>
          <p class="strong">{t("done")}</p>
          {ended > 0 && <p>{t("ended", { n: ended })}</p>}
        </Alert>
      )}
      <button
        type="submit"
        class="utrecht-button utrecht-button--html-button utrecht-button--primary-action wide"
        aria-busy={busy}
      >
        <span>{t("go")}</span>
      </button>
    </form>
  );
}
