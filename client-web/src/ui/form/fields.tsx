// One question of a form: its label, its answer, the honest 'no answer', what is wrong with it.
import type { ComponentChildren } from "preact";
import type { Choice, FieldInfo, KindInfo, Option, Problem, Value, Values } from "../../app/api.ts";
import { number } from "../format.ts";
import { Icon } from "../icons.tsx";
import { ChoiceButton, classes } from "../parts.tsx";
import { useUi } from "../ui.tsx";
import { answered, isMissing, offeredNumbers, textBytes } from "./model.ts";
import { DateField, TimeField } from "./times.tsx";

export interface FieldProps {
  kind: KindInfo;
  field: FieldInfo;
  values: Values;
  /** latest known value of this client, to offer times about it */
  usual?: Value;
  /** copied, and not looked at yet */
  copied: boolean;
  optional: boolean;
  problems: readonly Problem[];
  /** of a reference */
  choices?: readonly Choice[];
  onChange: (value: Value) => void;
  onConfirm: () => void;
}

export function Field(props: FieldProps) {
  const { kind, field, values, copied, optional, problems, onChange, onConfirm } = props;
  const { t, l, lang } = useUi();
  const value = values[field.id];
  const id = `f-${kind.name}-${field.name}`;
  // what is lacking is said once, beside the button; here only what is wrong
  const wrong = problems.filter((p) => p.is !== "required");
  const there = answered(value);
  return (
    <fieldset
      class={classes("question", copied && "copied", there && "answered", wrong.length > 0 && "wrong")}
      id={id}
      data-field={field.name}
    >
      <legend class="question-head">
        <span class="question-label">{l(field.label)}</span>
        {optional && !there && <span class="optional">{t("form_optional")}</span>}
        {copied && <span class="copied-mark">{t("form_copied")}</span>}
      </legend>
      {field.help && <p class="help">{l(field.help)}</p>}
      <Answer {...props} id={id} />
      <div class="question-foot">
        {field.missing.map((m) => (
          <Honest
            key={m.code}
            option={m}
            chosen={value === m.code}
            name={`${id}-missing`}
            onChange={onChange}
          />
        ))}
        {copied && (
          <button type="button" class="choice quiet confirm" onClick={onConfirm}>
            <Icon name="check" />
            <span>{t("form_copied_ok")}</span>
          </button>
        )}
        {there && (
          <button
            type="button"
            class="clear"
            aria-label={t("form_clear_label", { field: field.label[lang] })}
            onClick={() => onChange(null)}
          >
            {t("form_clear")}
          </button>
        )}
      </div>
      {wrong.map((p) => (
        <p class={classes("problem", p.blocks && "blocks")} role="alert" key={p.is}>
          <Icon name="warning" /> {l(p.text)}
        </p>
      ))}
    </fieldset>
  );
}

function Honest({
  option,
  chosen,
  name,
  onChange,
}: {
  option: Option;
  chosen: boolean;
  name: string;
  onChange: (v: Value) => void;
}) {
  const { l } = useUi();
  return (
    <ChoiceButton
      name={name}
      quiet
      several
      checked={chosen}
      onChange={(on) => onChange(on ? option.code : null)}
    >
      <span class="first-upper">{l(option.label)}</span>
    </ChoiceButton>
  );
}

function Answer(props: FieldProps & { id: string }) {
  const { field, values, choices, onChange, id } = props;
  const { t, l } = useUi();
  const raw = values[field.id];
  const value = isMissing(field, raw) ? null : raw;
  switch (field.type) {
    case "code":
      return (
        <Row scale={field.options.length === 5 || field.options.length === 3}>
          {field.options.map((o) => (
            <ChoiceButton key={o.code} name={id} checked={value === o.code} onChange={() => onChange(o.code)}>
              <span class="first-upper">{l(o.label)}</span>
            </ChoiceButton>
          ))}
        </Row>
      );
    case "bool":
      return (
        <Row>
          {[1, 0].map((b) => (
            <ChoiceButton key={b} name={id} checked={value === b} onChange={() => onChange(b)}>
              {t(b ? "yes" : "no")}
            </ChoiceButton>
          ))}
        </Row>
      );
    case "codeset":
      return <Toggles field={field} id={id} value={(value ?? []) as readonly number[]} onChange={onChange} />;
    case "int":
      return (
        <NumberField field={field} id={id} value={value as number | null | undefined} onChange={onChange} />
      );
    case "date":
      return (
        <DateField field={field} id={id} value={value as number | null | undefined} onChange={onChange} />
      );
    case "datetime":
      return <TimeField {...props} value={value as number | null | undefined} />;
    case "ref":
    case "refset":
      return <Reference field={field} id={id} value={value} choices={choices} onChange={onChange} />;
    default:
      return <TextField field={field} id={id} value={(value ?? "") as string} onChange={onChange} />;
  }
}

function Row({ children, scale }: { children: ComponentChildren; scale?: boolean }) {
  return <div class={classes("choices", scale && "scale")}>{children}</div>;
}

function Toggles({
  field,
  id,
  value,
  onChange,
}: {
  field: FieldInfo;
  id: string;
  value: readonly number[];
  onChange: (v: Value) => void;
}) {
  const { l } = useUi();
  return (
    <Row>
      {field.options.map((o) => (
        <ChoiceButton
          key={o.code}
          name={id}
          several
          checked={value.includes(o.code)}
          onChange={(on) =>
            onChange((on ? [...value, o.code] : value.filter((c) => c !== o.code)).sort((a, b) => a - b))
          }
        >
          <span class="first-upper">{l(o.label)}</span>
        </ChoiceButton>
      ))}
    </Row>
  );
}

function Reference({
  field,
  id,
  value,
  choices,
  onChange,
}: {
  field: FieldInfo;
  id: string;
  value: Value | undefined;
  choices?: readonly Choice[];
  onChange: (v: Value) => void;
}) {
  const { t } = useUi();
  if (!choices) return <p class="help">{t("loading")}</p>;
  if (!choices.length) return <p class="help">{t("form_no_choice")}</p>;
  const several = field.type === "refset";
  const set = (several ? (value ?? []) : []) as readonly string[];
  const chosen = (c: Choice) => (several ? set.includes(c.id) : value === c.id);
  const pick = (c: Choice, on: boolean) =>
    onChange(several ? (on ? [...set, c.id] : set.filter((i) => i !== c.id)) : c.id);
  // a long list is a list to choose from; a short one is buttons
  if (!several && choices.length > 12)
    return (
      <select
        class="utrecht-select utrecht-select--html-select"
        aria-label={t("form_choose")}
        value={(value as string | null) ?? ""}
        onChange={(e) => onChange(e.currentTarget.value || null)}
      >
        <option value="">{t("form_choose")}</option>
        {choices.map((c) => (
          <option key={c.id} value={c.id}>
            {c.label}
          </option>
        ))}
      </select>
    );
  return (
    <Row>
      {choices.map((c) => (
        <ChoiceButton
          key={c.id}
          name={id}
          several={several}
          checked={chosen(c)}
          onChange={(on) => pick(c, on)}
        >
          {c.label}
        </ChoiceButton>
      ))}
    </Row>
  );
}

function NumberField({
  field,
  id,
  value,
  onChange,
}: {
  field: FieldInfo;
  id: string;
  value: number | null | undefined;
  onChange: (v: Value) => void;
}) {
  const { t, lang } = useUi();
  const { numbers, all } = offeredNumbers(field);
  const step = (by: number) => {
    const from = value ?? (by > 0 ? (field.lowest ?? 0) - 1 : (field.lowest ?? 0) + 1);
    onChange(Math.min(field.highest ?? Infinity, Math.max(field.lowest ?? -Infinity, from + by)));
  };
  return (
    <>
      <Row>
        {numbers.map((n) => (
          <ChoiceButton key={n} name={id} checked={value === n} onChange={() => onChange(n)}>
            {number(n)}
          </ChoiceButton>
        ))}
      </Row>
      {!all && (
        <div class="stepper">
          <button type="button" class="step" aria-label={t("form_less")} onClick={() => step(-1)}>
            <Icon name="minus" />
          </button>
          <input
            class="utrecht-textbox utrecht-textbox--html-input number"
            type="text"
            inputMode="numeric"
            pattern="[0-9]*"
            autoComplete="off"
            maxLength={6}
            placeholder="–"
            aria-label={`${field.label[lang]}: ${t("form_number")}`}
            value={value ?? ""}
            onInput={(e) => onChange(readNumber(e.currentTarget.value))}
          />
          {field.unit === "min" && <span class="unit">min</span>}
          <button type="button" class="step" aria-label={t("form_more_one")} onClick={() => step(1)}>
            <Icon name="plus" />
          </button>
        </div>
      )}
    </>
  );
}
function readNumber(text: string): Value {
  const digits = text.replace(/[^0-9-]/g, "");
  const n = Number.parseInt(digits, 10);
  return Number.isNaN(n) ? null : n;
}

function TextField({
  field,
  id,
  value,
  onChange,
}: {
  field: FieldInfo;
  id: string;
  value: string;
  onChange: (v: Value) => void;
}) {
  const { t, lang } = useUi();
  const left = field.maxBytes ? field.maxBytes - textBytes(value) : 0;
  return (
    <>
      <textarea
        class="utrecht-textarea utrecht-textarea--html-textarea"
        rows={field.maxBytes > 600 ? 4 : 2}
        aria-label={field.label[lang]}
        aria-describedby={`${id}-left`}
        value={value}
        onInput={(e) => onChange(e.currentTarget.value)}
      />
      {field.maxBytes > 0 && left < 200 && (
        <p class="help" id={`${id}-left`}>
          {left >= 0 ? t("form_bytes_left", { n: left }) : t("form_bytes_over", { n: -left })}
        </p>
      )}
    </>
  );
}
