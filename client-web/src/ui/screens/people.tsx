// Who works on the tablet: a tap on a name, then the PIN.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Person } from "../../app/api.ts";
import { Icon } from "../icons.tsx";
import { Alert, Avatar, Button, ErrorAlert, Loading, Title, classes } from "../parts.tsx";
import { useAction, useLoad, useUi } from "../ui.tsx";
import { EntryOnly } from "./enter.tsx";
import { TeamChoice } from "./team.tsx";

export function People() {
  const { app, t, team, mayRead } = useUi();
  const [chosen, setChosen] = useState<string | null>(null);
  const people = useLoad(
    async () => (team ? app.people(team.id) : []),
    [team?.id],
    ["people", "person", "device"],
  );
  const { state, lastSync } = app.sync;
  const first = lastSync === null || (!team && (state === "connecting" || state === "syncing"));
  const person = people.value?.find((p) => p.id === chosen);
  if (person) {
    const Pin = person.hasPin ? SignIn : ChoosePin;
    return <Pin key={person.id} person={person} leave={() => setChosen(null)} />;
  }
  return (
    <>
      <Title sub={people.value?.length ? t("who_lead") : undefined}>{t("who_title")}</Title>
      <EntryOnly />
      <TeamChoice />
      <ErrorAlert error={people.error} />
      {!people.value && !people.error && <Loading />}
      {people.value?.length === 0 && first && (
        <p class="loading" role="status">
          {t("enrol_busy")}
        </p>
      )}
      {people.value?.length === 0 && !first && (
        <Alert type="info">
          <p>{t("who_none")}</p>
          <Button icon="send" onClick={() => void app.syncNow()}>
            {t("who_fetch")}
          </Button>
        </Alert>
      )}
      <ul class="grid">
        {people.value?.map((p) => (
          <li key={p.id}>
            <button
              type="button"
              class="card person"
              disabled={!p.hasPin && !mayRead}
              onClick={() => setChosen(p.id)}
            >
              <Avatar name={p.name} />
              <span class="card-words">
                <span class="card-name">{p.name}</span>
                {!p.hasPin && <span class="sub">{t(mayRead ? "who_new" : "who_new_later")}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

interface PinProps {
  person: Person;
  leave: () => void;
}

function SignIn({ person, leave }: PinProps) {
  const { app, t, l } = useUi();
  const [pin, setPin] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const wait = useCountdown(person.waitS);
  const { busy, error, run } = useAction();
  const enter = (entered: string) =>
    run(async () => {
      const result = await app.signIn(person.id, entered);
      setPin("");
      if (result.ok) return;
      setWrong(l(result.text));
      wait.start(result.waitS);
    });
  return (
    <div class="narrow enter-pin">
      <Title>{t("pin_title", { name: person.name })}</Title>
      <ErrorAlert error={error} />
      {(wrong || wait.left > 0) && (
        <Alert type="warning" live>
          {wrong && <p>{wrong}</p>}
          {wait.left > 0 && <p class="strong">{t("pin_wait", { n: wait.left })}</p>}
        </Alert>
      )}
      <PinPad pin={pin} onChange={setPin} onEnter={enter} off={busy || wait.left > 0} />
      <details class="more">
        <summary>
          <span>{t("pin_forgot")}</span>
        </summary>
        <p>{t("pin_forgot_how")}</p>
      </details>
      <Leave leave={leave} />
    </div>
  );
}

function ChoosePin({ person, leave }: PinProps) {
  const { app, t } = useUi();
  const [first, setFirst] = useState<string | null>(null);
  const [pin, setPin] = useState("");
  const [differs, setDiffers] = useState(false);
  const { busy, error, run } = useAction();
  const enter = (entered: string) => {
    setDiffers(false);
    setPin("");
    if (first === null) return setFirst(entered);
    setFirst(null);
    if (first !== entered) return setDiffers(true);
    run(() => app.choosePin(person.id, entered));
  };
  return (
    <div class="narrow enter-pin">
      <Title>{t("pin_new_title", { name: person.name })}</Title>
      <ErrorAlert error={error} />
      {differs && (
        <Alert type="warning" live>
          <p>{t("pin_differs")}</p>
        </Alert>
      )}
      <p class="lead" role="status">
        {t(first === null ? "pin_new_lead" : "pin_repeat")}
      </p>
      <PinPad pin={pin} onChange={setPin} onEnter={enter} off={busy} />
      <Leave leave={leave} />
    </div>
  );
}

function Leave({ leave }: { leave: () => void }) {
  const { t } = useUi();
  return (
    <button type="button" class="text-button" onClick={leave}>
      <Icon name="back" /> {t("not_you")}
    </button>
  );
}

const PIN_MIN = 4;
const PIN_MAX = 12;

interface PadProps {
  pin: string;
  onChange: (pin: string) => void;
  onEnter: (pin: string) => void;
  /** no tries now */
  off: boolean;
}
/** Digits by touch or keyboard. The digits themselves are never shown. */
function PinPad({ pin, onChange, onEnter, off }: PadProps) {
  const { t } = useUi();
  // several keys may come before the next drawing
  const typed = useRef(pin);
  typed.current = pin;
  const put = (text: string) => {
    if (off || text.length > PIN_MAX) return;
    typed.current = text;
    onChange(text);
  };
  const ready = pin.length >= PIN_MIN && !off;
  const enter = () => typed.current.length >= PIN_MIN && !off && onEnter(typed.current);
  const digit = (d: string) => put(typed.current + d);
  const erase = () => put(typed.current.slice(0, -1));
  // with the pad itself: a key that comes just after it must count
  useLayoutEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (/^[0-9]$/.test(e.key)) digit(e.key);
      else if (e.key === "Backspace") erase();
      else if (e.key === "Enter" && !(e.target instanceof HTMLButtonElement)) enter();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });
  return (
    <div class={classes("pin", off && "off")}>
      <p class="dots" role="status">
        <span class="visually-hidden">{t("pin_entered", { n: pin.length })}</span>
        {Array.from({ length: Math.max(PIN_MIN, pin.length) }, (_, i) => (
          <span key={i} class={classes("dot", i < pin.length && "full")} aria-hidden="true" />
        ))}
      </p>
      <div class="pad">
        {["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((d) => (
          <button type="button" class="key" key={d} onClick={() => digit(d)}>
            {d}
          </button>
        ))}
        <button type="button" class="key soft" aria-label={t("pin_delete")} onClick={erase}>
          <Icon name="erase" />
        </button>
        <button type="button" class="key" onClick={() => digit("0")}>
          0
        </button>
        <button
          type="button"
          class={classes("key enter", !ready && "not-yet")}
          aria-disabled={!ready}
          onClick={enter}
        >
          {t("pin_ok")}
        </button>
      </div>
    </div>
  );
}

/** Whole seconds that are left, counted down. */
function useCountdown(from: number): { left: number; start: (s: number) => void } {
  const [until, setUntil] = useState(() => Date.now() + from * 1000);
  const [, tick] = useState(0);
  const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  useEffect(() => {
    if (!left) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, [left > 0, until]);
  return { left, start: (s) => setUntil(Date.now() + s * 1000) };
}
