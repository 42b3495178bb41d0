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

interface Asked {
  key: "now" | "next" | "repeat" | "code";
  is: "password" | "password_new" | "once";
  help?: "next_help" | "code_help";
}
const ASKED: readonly Asked[] = [
  { key: "now", is: "password" },
  { key: "next", is: "password_new", help: "next_help" },
  { key: "repeat", is: "password_new" },
  { key: "code", is: "once", help: "code_help" },
];
const EMPTY = { now: "", next: "", repeat: "", code: "" };

function PasswordForm() {
  const t = useTexts(TEXTS);
  const { session, l } = useDesk();
  const [values, setValues] = useState(EMPTY);
  const [tried, setTried] = useState(false);
  const [ended, setEnded] = useState<number | null>(null);
  const { busy, error, run } = useWork();
  const { now, next, repeat, code } = values;
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
      setValues(EMPTY);
      setTried(false);
    });
  };
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
      {ASKED.map(({ key, is, help }) => (
        <TextInput
          key={key}
          id={`pw-${key}`}
          is={is}
          label={t(key)}
          help={help && t(help)}
          problem={tried ? problems[key] : undefined}
          value={values[key]}
          onValue={(value) => setValues((before) => ({ ...before, [key]: value }))}
        />
      ))}
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
