// Days and times. A form about a night asks for clock times only: it knows that 06:30 is the next morning.
import { useState } from "preact/hooks";
import type { FieldInfo, Value } from "../../app/api.ts";
import { isoDay, nightOf, parseDay, relativeDay, shortDay } from "../format.ts";
import { nightField } from "../kinds.ts";
import { ChoiceButton } from "../parts.tsx";
import { useUi } from "../ui.tsx";
import type { FieldProps } from "./fields.tsx";
import { nightTime, offeredTimes, parseTime, timeText } from "./model.ts";

type Change = (value: Value) => void;

export function DateField({
  field,
  id,
  value,
  onChange,
}: {
  field: FieldInfo;
  id: string;
  value: number | null | undefined;
  onChange: Change;
}) {
  const { app, t, lang } = useUi();
  const night = field.name === "night_date";
  const today = night ? app.clock.night(app.clock.now()) : app.clock.day(app.clock.now());
  const words = (day: number) => (night ? nightOf(lang, day) : relativeDay(app, day));
  return (
    <>
      <div class="choices">
        {[today, today - 1, today - 2].map((day) => (
          <ChoiceButton key={day} name={id} checked={value === day} onChange={() => onChange(day)}>
            {words(day)}
          </ChoiceButton>
        ))}
      </div>
      <DayInput value={value} label={`${field.label[lang]}: ${t("form_other_day")}`} onChange={onChange} />
    </>
  );
}

function DayInput({
  value,
  label,
  onChange,
}: {
  value: number | null | undefined;
  label: string;
  onChange: Change;
}) {
  return (
    <input
      class="utrecht-textbox utrecht-textbox--html-input day"
      type="date"
      aria-label={label}
      value={typeof value === "number" ? isoDay(value) : ""}
      onChange={(e) => onChange(parseDay(e.currentTarget.value))}
    />
  );
}

export function TimeField(props: FieldProps & { id: string; value: number | null | undefined }) {
  const night = nightField(props.kind);
  const day = night && props.values[night.id];
  return typeof day === "number" && day > -90000 ? (
    <NightTime {...props} night={day} />
  ) : (
    <MomentField {...props} />
  );
}

/** A clock time of a night that is known. */
function NightTime({
  kind,
  field,
  value,
  usual,
  id,
  night,
  onChange,
}: FieldProps & { id: string; value: number | null | undefined; night: number }) {
  const { app, t, lang } = useUi();
  const { clock } = app;
  const minutes = typeof value === "number" ? clock.minutes(value) : null;
  const put = (m: number) => onChange(nightTime(clock, night, m));
  return (
    <>
      <div class="choices times">
        {offeredTimes(kind, field, usual, clock).map((m) => (
          <ChoiceButton key={m} name={id} checked={minutes === m} onChange={() => put(m)}>
            {timeText(m)}
          </ChoiceButton>
        ))}
      </div>
      <div class="moment">
        <ClockInput minutes={minutes} label={`${field.label[lang]}: ${t("form_time")}`} onChange={put} />
        {typeof value === "number" && <span class="moment-day">{shortDay(lang, clock.day(value))}</span>}
      </div>
    </>
  );
}

const AGO = [0, 15, 30, 60];
/** Any moment: today or another day. */
function MomentField({
  field,
  value,
  id,
  onChange,
}: FieldProps & { id: string; value: number | null | undefined }) {
  const { app, t, lang } = useUi();
  const { clock } = app;
  const now = Math.floor(clock.now() / 60) * 60;
  const today = clock.day(now);
  const at = typeof value === "number" ? value : null;
  const day = at === null ? today : clock.day(at);
  const minutes = at === null ? null : clock.minutes(at);
  const ago = (n: number) => (n === 0 ? t("form_now") : n === 60 ? t("form_ago_hour") : t("form_ago", { n }));
  return (
    <>
      <div class="choices times">
        {AGO.map((n) => (
          <ChoiceButton
            key={n}
            name={id}
            checked={at !== null && Math.floor(at / 60) === now / 60 - n}
            onChange={() => onChange(now - n * 60)}
          >
            {ago(n)}
          </ChoiceButton>
        ))}
      </div>
      <div class="moment">
        <ClockInput
          minutes={minutes}
          label={`${field.label[lang]}: ${t("form_time")}`}
          onChange={(m) => onChange(clock.at(day, m))}
        />
        <DayInput
          value={at === null ? null : day}
          label={`${field.label[lang]}: ${t("form_day")}`}
          onChange={(d) => typeof d === "number" && onChange(clock.at(d, minutes ?? clock.minutes(now)))}
        />
        {at !== null && <span class="moment-day">{relativeDay(app, day)}</span>}
      </div>
    </>
  );
}

/** Typed as digits: 630, 0630 and 06:30 are the same. Not the browser's own field: that one counts to
 *  twelve where the tablet's language does. */
function ClockInput({
  minutes,
  label,
  onChange,
}: {
  minutes: number | null;
  label: string;
  onChange: (minutes: number) => void;
}) {
  const { t } = useUi();
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input
      class="utrecht-textbox utrecht-textbox--html-input clock"
      type="text"
      inputMode="numeric"
      autoComplete="off"
      placeholder={t("form_other_time")}
      maxLength={5}
      aria-label={label}
      value={typed ?? (minutes === null ? "" : timeText(minutes))}
      onFocus={(e) => e.currentTarget.select()}
      onInput={(e) => {
        const text = e.currentTarget.value;
        setTyped(text);
        const m = parseTime(text);
        if (m !== null) onChange(m);
      }}
      onBlur={() => setTyped(null)}
    />
  );
}
