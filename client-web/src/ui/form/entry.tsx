// A form on the screen: a new entry or a change of one. Draws what model.ts says; keeps a draft; saves.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Choice, FieldInfo, Judgement, KindInfo, Value, Values } from "../../app/api.ts";
import { newKey } from "../drafts.ts";
import { nightOf, valueText, when } from "../format.ts";
import { Icon } from "../icons.tsx";
import { nightField } from "../kinds.ts";
import { Button, ErrorAlert } from "../parts.tsx";
import { counted } from "../texts.ts";
import { useAction, useLabels, useLoad, useUi } from "../ui.tsx";
import { Begun } from "./begun.tsx";
import { Field } from "./fields.tsx";
import { answered, changes, copied as copiedTimes, filled, layout, moveNight } from "./model.ts";

export interface EntryProps {
  kind: KindInfo;
  /** hash of the form, by which its drafts are found */
  path: string;
  client: string | null;
  teamId: string;
  /** what the form begins with: context of a new entry, all of an entry that is changed */
  start: Values;
  /** values to correct, laid over what the form begins with */
  begin?: Values;
  /** of a new entry: latest times of the client moved to a day */
  usualTimes?: (day: number) => Promise<Values>;
  editing: boolean;
  /** saves; `changed` is what differs from `start`, `all` what the form holds */
  save: (changed: Record<number, Value>, all: Record<number, Value>) => Promise<void>;
}

interface FormProps extends EntryProps {
  draftKey: string;
  /** what stands above the questions */
  children: ComponentChildren;
}
/** What has been answered so far, and what can be done with it. */
function useEntry(props: FormProps) {
  const { kind, start, editing, path, draftKey } = props;
  const { app, t, drafts } = useUi();
  const draft = useMemo(() => drafts.get(draftKey), [draftKey]);
  const [values, setValues] = useState<Values>(draft?.values ?? { ...start, ...props.begin });
  const [copied, setCopied] = useState<readonly number[]>(draft?.copied ?? []);
  const [hint, setHint] = useState<string | null>(null);
  const { busy, error, run } = useAction();
  const judged = app.judge(kind.id, filled(values));
  const parts = layout(kind, values, editing ? {} : start, judged);
  const day = dayOf(kind, values);
  const usual = useLoad<Values>(
    async () => (props.usualTimes && day !== null ? props.usualTimes(day) : {}),
    [path, day],
    [],
  ).value;
  const choices = useChoices(kind, props.teamId);
  useDraft(props, values, copied);

  const put = (field: FieldInfo, value: Value) => {
    setHint(null);
    setCopied(copied.filter((id) => id !== field.id));
    const night = nightField(kind);
    const moves = field === night && typeof value === "number" && typeof values[field.id] === "number";
    setValues(
      moves
        ? moveNight(kind, values, values[field.id] as number, value, app.clock)
        : { ...values, [field.id]: value },
    );
  };
  const takeOver = (times: Values) => {
    const fresh = Object.fromEntries(Object.entries(times).filter(([id]) => !answered(values[Number(id)])));
    setValues({ ...values, ...fresh });
    setCopied([...copied, ...Object.keys(fresh).map(Number)]);
  };
  const save = () => {
    const changed = changes(start, values);
    if (!Object.keys(changed).length) return setHint(t(editing ? "form_no_change" : "form_empty"));
    if (!judged.savable) return focusProblem(kind, judged.problems.find((p) => p.blocks)!.field);
    run(async () => {
      await props.save(changed, filled(values));
      drafts.drop(draftKey);
    });
  };

  const times = usual ? copiedTimes(kind, usual) : {};
  const offer = !editing && Object.keys(times).some((id) => !answered(values[Number(id)]));
  const field = (f: FieldInfo) => ({
    kind,
    field: f,
    values,
    usual: usual?.[f.id],
    copied: copied.includes(f.id),
    problems: judged.problems.filter(
      (p) => p.field === f.id && (answered(values[f.id]) || p.is !== "required"),
    ),
    choices: choices.get(f.id),
    onChange: (v: Value) => put(f, v),
    onConfirm: () => setCopied(copied.filter((id) => id !== f.id)),
  });
  return { judged, parts, field, hint, busy, error, save, offer, takeOver: () => takeOver(times), values };
}

/** The form as it was left, or anew. */
export function Entry(props: EntryProps) {
  const { path } = props;
  const { drafts } = useUi();
  // those there are when it opens: nothing moves under the hand of who fills it in
  const [begun, setBegun] = useState(() => drafts.at(path));
  const [draftKey, setKey] = useState(() => begun[0]?.key ?? newKey(path));
  const show = (key: string | undefined) => {
    setBegun(drafts.at(path));
    setKey(key ?? newKey(path));
  };
  return (
    <Form key={draftKey} {...props} draftKey={draftKey}>
      {begun.some((d) => d.key === draftKey) && <Begun begun={begun} draftKey={draftKey} show={show} />}
    </Form>
  );
}

function Form(props: FormProps) {
  const { kind, editing } = props;
  const { t } = useUi();
  const [moreOpen, setMoreOpen] = useState(editing);
  const { judged, parts, field, offer, error, ...entry } = useEntry(props);
  return (
    <form
      class="entry"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        entry.save();
      }}
    >
      {props.children}
      {parts.given.length > 0 && <Given {...field(parts.given[0])} fields={parts.given} field={field} />}
      {offer && (
        <div class="take-over">
          <Button look="secondary-action" icon="copy" wide onClick={entry.takeOver}>
            {t(nightField(kind) ? "form_copy_night" : "form_copy")}
          </Button>
          <p class="help">{t("form_copy_help")}</p>
        </div>
      )}
      {parts.main.map((f) => (
        <Field key={f.id} {...field(f)} optional={!judged.required.has(f.id)} />
      ))}
      {parts.more.length > 0 && (
        <details class="more" open={moreOpen} onToggle={(e) => setMoreOpen(e.currentTarget.open)}>
          <summary>
            <span>
              {t("form_more")} <span class="count">{parts.more.length}</span>
            </span>
            <span class="help">{t("form_more_help")}</span>
          </summary>
          {moreOpen && parts.more.map((f) => <Field key={f.id} {...field(f)} optional />)}
        </details>
      )}
      <ErrorAlert error={error} />
      <SaveBar kind={kind} judged={judged} values={entry.values} hint={entry.hint} busy={entry.busy} />
    </form>
  );
}

interface SaveBarProps {
  kind: KindInfo;
  judged: Judgement;
  values: Values;
  hint: string | null;
  busy: boolean;
}
/** Always in sight: what is still open or wrong, and saving. */
function SaveBar({ kind, judged, values, hint, busy }: SaveBarProps) {
  const { t, lang } = useUi();
  const open = [...judged.required].filter((id) => !answered(values[id])).length;
  const blocking = judged.problems.filter((p) => p.blocks);
  return (
    <div class="save-bar">
      <p class="save-words" role="status">
        {hint ??
          (blocking.length
            ? t("form_fix")
            : open
              ? counted(lang, "form_open_one", "form_open_more", open)
              : t("form_complete"))}
      </p>
      {blocking.length > 0 && <ProblemList kind={kind} fields={blocking.map((p) => p.field)} />}
      <button
        type="submit"
        class="utrecht-button utrecht-button--html-button utrecht-button--primary-action wide save"
        aria-busy={busy}
      >
        <Icon name="check" />
        <span>{t(busy ? "form_saving" : "form_save")}</span>
      </button>
    </div>
  );
}

type Common = (f: FieldInfo) => Omit<Parameters<typeof Field>[0], "optional">;
/** What is known already, as one line each; opened to change it. */
function Given({
  kind,
  fields,
  values,
  field,
}: {
  kind: KindInfo;
  fields: FieldInfo[];
  values: Values;
  field: Common;
}) {
  const { app, t, l, lang } = useUi();
  const [open, setOpen] = useState(false);
  const labels = useLabels(
    fields.filter((f) => f.type === "ref" && answered(values[f.id])).map((f) => values[f.id] as string),
  );
  const words = (f: FieldInfo) => {
    const v = values[f.id];
    if (f === nightField(kind) && typeof v === "number" && v > -90) return nightOf(lang, v);
    if (f.type === "datetime" && typeof v === "number") return when(app, v);
    return valueText(app, f, v, labels);
  };
  return (
    <div class="given">
      <div class="given-head">
        <dl>
          {fields.map((f) => (
            <div key={f.id}>
              <dt>{l(f.label)}</dt>
              <dd>{words(f)}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="choice quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t(open ? "close" : "change")}
        </button>
      </div>
      {open && fields.map((f) => <Field key={f.id} {...field(f)} optional={!f.required} />)}
    </div>
  );
}

function ProblemList({ kind, fields }: { kind: KindInfo; fields: number[] }) {
  const { l } = useUi();
  return (
    <ul class="problem-list">
      {[...new Set(fields)].map((id) => {
        const f = kind.fields.find((k) => k.id === id);
        return (
          f && (
            <li key={id}>
              <button type="button" class="problem-link" onClick={() => focusProblem(kind, id)}>
                {l(f.label)}
              </button>
            </li>
          )
        );
      })}
    </ul>
  );
}

function focusProblem(kind: KindInfo, id: number): void {
  const field = kind.fields.find((f) => f.id === id);
  const box = field && document.getElementById(`f-${kind.name}-${field.name}`);
  box?.scrollIntoView({ block: "center" });
  box?.querySelector<HTMLElement>("input, textarea, select, button")?.focus({ preventScroll: true });
}

/** The day that usual times are moved to. */
function dayOf(kind: KindInfo, values: Values): number | null {
  const night = nightField(kind);
  const v = night && values[night.id];
  return typeof v === "number" && v > -90 ? v : null;
}

/** What reference fields of the kind may point to, by field. */
function useChoices(kind: KindInfo, team: string): ReadonlyMap<number, readonly Choice[]> {
  const { app } = useUi();
  const refs = kind.fields.filter((f) => f.type === "ref" || f.type === "refset");
  const loaded = useLoad(
    async () =>
      new Map(await Promise.all(refs.map(async (f) => [f.id, await app.choices(f, team)] as const))),
    [kind.id, team],
  );
  return loaded.value ?? new Map();
}

/** Keeps the form as a draft as long as it says something that was not saved. */
function useDraft(props: FormProps, values: Values, copied: readonly number[]): void {
  const { app, drafts } = useUi();
  const first = useRef(true);
  // before the next event, which may be the tap that hands the tablet on
  useLayoutEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const key = props.draftKey;
    if (!Object.keys(changes(props.start, values)).length) return drafts.drop(key);
    drafts.keep({
      key,
      path: props.path,
      kind: props.kind.id,
      client: props.client,
      values,
      start: props.start,
      copied,
      at: drafts.get(key)?.at ?? app.clock.now(),
    });
  }, [values, copied]);
}
