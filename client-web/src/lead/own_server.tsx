// What only the server knows: what it holds, with its values, and when each tablet was last here.
import { useState } from "preact/hooks";
import { problemText, useAsk, useDesk, useTexts, useWork } from "../desk/desk.tsx";
import type { Texts } from "../desk/texts.ts";
import { isoDay, shortDay, valueText, when } from "../ui/format.ts";
import { Alert, Button, TextInput } from "../ui/parts.tsx";
import { href, useLabels, useUi } from "../ui/ui.tsx";
import { DataTable, Figure } from "./figure.tsx";
import type { DeviceRow, HeldRow } from "./own_data.ts";

const TEXTS = {
  loading: ["Even wachten …", "One moment …"],
  held_lead: [
    "De server heeft deze invoer bewaard, maar telt haar niet mee. Laat haar gelden of wijs haar af; weg gaat niets.",
    "The server keeps these entries but does not count them. Admit or dismiss them; nothing is deleted.",
  ],
  held_none: ["Er is niets vastgehouden.", "Nothing is held."],
  held_more: ["Er is meer. Beslis eerst over deze.", "There is more. Decide on these first."],
  by: ["{who}, {when}, op {device}", "{who}, {when}, on {device}"],
  nobody: ["onbekend", "unknown"],
  reason: ["Waarom beslist u dit?", "Why do you decide so?"],
  reason_empty: ["Schrijf kort waarom.", "Write briefly why."],
  admit: ["Laten gelden", "Admit"],
  dismiss: ["Afwijzen", "Dismiss"],
  done: ["Besloten.", "Decided."],
  open: ["Dit is een wijziging. Bekijk de registratie", "This is a change. See the entry"],
  tablets: ["Tablets en browsers", "Tablets and browsers"],
  tablets_lead: [
    "Een tablet zegt bij elk contact of zij alles heeft verstuurd. Wat er daarna op kwam, weet de server nog niet.",
    "At each contact a tablet says whether it has sent everything. What was entered since, the server does not know.",
  ],
  name: ["Naam", "Name"],
  team: ["Team of persoon", "Team or person"],
  seen: ["Laatst gezien", "Last seen"],
  unsent: ["Oudste onverstuurde invoer", "Oldest unsent entry"],
  state: ["Toestand", "State"],
  here: ["nu verbonden", "connected now"],
  fine: ["in orde", "fine"],
  late: ["al {n} dagen niet gezien", "not seen for {n} days"],
  over: ["toont niets meer tot zij verbindt", "shows nothing until it connects"],
  revoked: ["ingetrokken", "revoked"],
  expired: ["verlopen", "expired"],
  nothing: ["geen: alles is hier", "none: everything is here"],
  maybe: ["niets van vóór {when}", "nothing from before {when}"],
  some: ["wel iets, van na {when}", "something, from after {when}"],
  some_ever: ["wel iets; verstuurde nog nooit alles", "something; never sent everything yet"],
} as const satisfies Texts;
const LEASE_DAYS = 14;
const LATE_DAYS = 2;
const DAY_S = 86400;

export function Held() {
  const { l } = useDesk();
  const t = useTexts(TEXTS);
  const list = useAsk<{ held: HeldRow[]; more: boolean }>("/api/own/held");
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  if (list.error)
    return (
      <Alert type="error" live>
        <p>{l(problemText(list.error))}</p>
      </Alert>
    );
  if (!list.value) return <p class="loading">{t("loading")}</p>;
  const rows = list.value.held.filter((h) => !gone.has(h.op));
  return (
    <>
      {rows.length > 0 && <p class="lead">{t("held_lead")}</p>}
      {!rows.length && (
        <Alert type="ok" live>
          <p>{t("held_none")}</p>
        </Alert>
      )}
      {rows.map((h) => (
        <HeldCard key={h.op} held={h} ruled={() => setGone((g) => new Set([...g, h.op]))} />
      ))}
      {list.value.more && <p>{t("held_more")}</p>}
    </>
  );
}

function HeldCard({ held, ruled }: { held: HeldRow; ruled: () => void }) {
  const { session, lang, l } = useDesk();
  const { app, say } = useUi();
  const t = useTexts(TEXTS);
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useWork();
  const rule = (verdict: "admit" | "dismiss") => {
    setTried(true);
    if (!reason.trim()) return;
    run(async () => {
      await session.post("/api/own/ruling", { op: held.op, verdict, reason: reason.trim() });
      say({ text: t("done") });
      ruled();
    });
  };
  const kind = app.kind(held.kind);
  // the server knows the organisation's records by name, this browser the programme's too
  const here = useLabels(Object.keys(held.labels));
  const labels = new Map(Object.entries(held.labels).map(([id, label]) => [id, label ?? here.get(id) ?? "…"]));
  return (
    <section class="card stack held" data-op={held.op}>
      <h2 class="utrecht-heading-2">
        {lang === "nl" ? held.kind_nl : held.kind_en}: {held.client ?? "–"} {held.team && `(${held.team})`}
      </h2>
      <Alert type="warning">
        <p class="strong first-upper">{lang === "nl" ? held.nl : held.en}</p>
        <p>
          {t("by", {
            who: held.author ?? t("nobody"),
            when: when(app, held.when),
            device: held.device ?? t("nobody"),
          })}
        </p>
      </Alert>
      {!held.creates && (
        <p>
          <a href={href("record", held.record)}>{t("open")}</a>
        </p>
      )}
      <dl class="held-values">
        {held.fields.map((f) => {
          const field = kind?.fields.find((k) => k.id === f.field);
          const plain = Array.isArray(f.value) ? f.value.join(", ") : String(f.value ?? "–");
          return (
            <div key={f.field}>
              <dt>{field ? l(field.label) : f.field}</dt>
              <dd>
                {field ? valueText(app, field, f.value, labels) : plain}
                {field?.type === "datetime" && typeof f.value === "number" && f.value > 0 && (
                  <span class="sub"> {shortDay(lang, app.clock.day(f.value))}</span>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      <TextInput
        id={`reason-${held.op}`}
        label={t("reason")}
        problem={tried && !reason.trim() ? t("reason_empty") : undefined}
        value={reason}
        maxLength={200}
        onValue={setReason}
      />
      {error !== null && (
        <Alert type="error" live>
          <p>{l(problemText(error))}</p>
        </Alert>
      )}
      <div class="held-buttons">
        <Button look="primary-action" busy={busy} onClick={() => rule("admit")}>
          {t("admit")}
        </Button>
        <Button busy={busy} onClick={() => rule("dismiss")}>
          {t("dismiss")}
        </Button>
      </div>
    </section>
  );
}

export function Tablets() {
  const { l, lang } = useDesk();
  const { app } = useUi();
  const t = useTexts(TEXTS);
  const answer = useAsk<{ now: number; devices: DeviceRow[] }>("/api/own/devices");
  if (answer.error)
    return (
      <Alert type="error" live>
        <p>{l(problemText(answer.error))}</p>
      </Alert>
    );
  if (!answer.value) return <p class="loading">{t("loading")}</p>;
  const { now, devices } = answer.value;
  const ended = (d: DeviceRow) => d.revoked || (d.expires > 0 && d.expires <= now);
  const state = (d: DeviceRow) => {
    const days = Math.floor((now - d.seen) / DAY_S);
    if (d.revoked) return t("revoked");
    if (ended(d)) return t("expired");
    if (d.here) return t("here");
    if (days >= LEASE_DAYS) return `${t("late", { n: days })}; ${t("over")}`;
    return days >= LATE_DAYS ? t("late", { n: days }) : t("fine");
  };
  // a weekday says nothing of what was long ago
  const moment = (at: number) =>
    now - at < LEASE_DAYS * DAY_S ? when(app, at) : isoDay(app.clock.day(at));
  const seen = (d: DeviceRow) => moment(d.seen);
  const unsent = (d: DeviceRow) => {
    if (ended(d)) return null;
    if (d.here && d.all_sent >= now) return t("nothing");
    if (d.all_sent >= d.seen) return t("maybe", { when: moment(d.all_sent) });
    return d.all_sent ? t("some", { when: moment(d.all_sent) }) : t("some_ever");
  };
  const sorted = [...devices].sort((a, b) => Number(ended(a)) - Number(ended(b)) || a.seen - b.seen);
  const table = {
    head: [t("name"), t("team"), t("seen"), t("unsent"), t("state")],
    rows: sorted.map((d) => [
      d.name ?? "?",
      d.person ?? (d.teams.filter(Boolean).join(", ") || null),
      d.here ? t("here") : seen(d),
      unsent(d),
      state(d),
    ]),
  };
  return (
    <Figure title={t("tablets")} lead={t("tablets_lead")} file="tablets" table={table} plain>
      <DataTable caption={t("tablets")} table={table} lang={lang} />
    </Figure>
  );
}
