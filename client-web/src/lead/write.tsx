// Stories, lessons, barriers and experts' cards: written here, and synced like any record.
import type { KindInfo, RecordView, Values } from "../app/api.ts";
import { useDesk, useTexts } from "../desk/desk.tsx";
import type { Texts } from "../desk/texts.ts";
import { Entry } from "../ui/form/entry.tsx";
import { shortDay } from "../ui/format.ts";
import { Alert, Button, ErrorAlert, Loading, Title } from "../ui/parts.tsx";
import { RecordBadges } from "../ui/record.tsx";
import { fromHere, href, useAction, useLoad, useUi } from "../ui/ui.tsx";
import { Inside } from "./inside.tsx";

const TEXTS = {
  title: ["Verhalen, lessen en randvoorwaarden", "Stories, lessons and barriers"],
  lead: [
    "Verhalen en lessen ziet iedereen in het programma. Schrijf niets waaraan iemand een cliënt herkent.",
    "Everybody in the programme sees stories and lessons. Write nothing by which a client can be recognised.",
  ],
  add: ["Toevoegen", "Add"],
  none: ["Nog niets.", "Nothing yet."],
  change: ["Wijzigen", "Change"],
  remove: ["Weghalen", "Remove"],
  removed: ["Weggehaald.", "Removed."],
  reason: ["weggehaald door de projectleider", "removed by the project lead"],
  saved: ["Opgeslagen.", "Saved."],
  lacking: ["Deze soort is hier niet te schrijven.", "This kind cannot be written here."],
} as const satisfies Texts;
const KINDS: Readonly<Record<string, readonly string[]>> = {
  project_lead: ["practice_story", "lesson", "barrier"],
  expert: ["expert_card", "practice_story", "lesson"],
};
const EVER = 100_000;

export default function WriteSection() {
  return (
    <Inside>
      <Shown />
    </Inside>
  );
}
function Shown() {
  const { path } = useDesk();
  if (path[0] === "write" && path[1]) return <Write key={path[1]} kindName={path[1]} id={null} />;
  if (path[0] === "change") return <Write key={path[2]} kindName={path[1] ?? ""} id={path[2] ?? ""} />;
  return <Lists />;
}

function Lists() {
  const { me } = useDesk();
  const { app, l } = useUi();
  const t = useTexts(TEXTS);
  const kinds = (KINDS[me.role] ?? []).map((name) => app.kind(name)).filter((k): k is KindInfo => k !== null);
  return (
    <>
      <h1 class="utrecht-heading-1">{t("title")}</h1>
      <p class="lead">{t("lead")}</p>
      {kinds.map((kind) => (
        <section key={kind.id} class="card stack" data-kind={kind.name}>
          <div class="section-head">
            <h2 class="utrecht-heading-2">{l(kind.label)}</h2>
            <a
              class="utrecht-button-link utrecht-button-link--html-a utrecht-button-link--secondary-action"
              href={href("write", kind.name)}
              aria-label={`${t("add")}: ${l(kind.label)}`}
            >
              <span>{t("add")}</span>
            </a>
          </div>
          <List kind={kind} />
        </section>
      ))}
    </>
  );
}

function List({ kind }: { kind: KindInfo }) {
  const { app, lang, say, l } = useUi();
  const t = useTexts(TEXTS);
  const { error, run } = useAction();
  const list = useLoad(() => app.records({ kind: kind.id, fromDay: -EVER, toDay: EVER }), [kind.id]);
  if (list.error) return <ErrorAlert error={list.error} />;
  if (!list.value) return <Loading />;
  const live = list.value.filter((r) => r.retracted !== "yes");
  return (
    <>
      <ErrorAlert error={error} />
      {!live.length && <p class="empty">{t("none")}</p>}
      <ul class="plain-list">
        {live.map((r) => (
          <li key={r.id} class="written">
            <span>
              {titleOf(kind, r, l)} {kind.occurred ? <span class="sub">{shortDay(lang, r.day)}</span> : null}{" "}
              <RecordBadges record={r} />
            </span>
            {r.createdBy !== null && r.createdByName !== null && (
              <span>
                <a
                  class="text-button"
                  href={href("change", kind.name, r.id)}
                  aria-label={`${t("change")}: ${titleOf(kind, r, l)}`}
                >
                  {t("change")}
                </a>
                <Button
                  look="subtle"
                  label={`${t("remove")}: ${titleOf(kind, r, l)}`}
                  onClick={() =>
                    run(async () => {
                      await app.retract(r, t("reason"));
                      say({ text: t("removed") });
                    })
                  }
                >
                  {t("remove")}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
/** Its title, or what its codes say. */
function titleOf(kind: KindInfo, r: RecordView, l: (of: { nl: string; en: string }) => string): string {
  const title = kind.fields.find((f) => ["title", "description", "name"].includes(f.name));
  const words = title && r.values[title.id];
  if (typeof words === "string" && words) return words.length > 80 ? `${words.slice(0, 80)}…` : words;
  const codes = kind.fields
    .filter((f) => f.type === "code")
    .map((f) => f.options.find((o) => o.code === r.values[f.id])?.label)
    .filter((label) => label !== undefined);
  return codes.map((c) => l(c!)).join(", ") || "?";
}

function Write({ kindName, id }: { kindName: string; id: string | null }) {
  const { me } = useDesk();
  const { app, l, say, team } = useUi();
  const t = useTexts(TEXTS);
  const kind = KINDS[me.role]?.includes(kindName) ? app.kind(kindName) : null;
  const seen = useLoad(async () => (id ? app.record(id) : null), [id], []);
  if (seen.error) return <ErrorAlert error={seen.error} />;
  if (seen.value === undefined) return <Loading />;
  if (!kind || (id && !seen.value))
    return (
      <Alert type="info">
        <p>{t("lacking")}</p>
      </Alert>
    );
  const start: Record<number, string | number> = {};
  const date = kind.fields.find((f) => f.id === kind.occurred && f.type === "date");
  if (date) start[date.id] = app.clock.day(app.clock.now());
  const save = async (changed: Values, all: Values) => {
    const goOn = fromHere();
    if (seen.value) await app.edit(seen.value, changed);
    else await app.save({ kind: kind.id, team: team?.id ?? "", client: null, values: all });
    say({ text: t("saved") });
    goOn("write");
  };
  return (
    <>
      <Title>{l(kind.label)}</Title>
      <Entry
        kind={kind}
        path={id ? href("change", kindName, id) : href("write", kindName)}
        client={null}
        teamId={team?.id ?? ""}
        start={seen.value ? seen.value.values : start}
        editing={id !== null}
        save={save}
      />
    </>
  );
}
