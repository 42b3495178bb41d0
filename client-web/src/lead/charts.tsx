// Pictures of the network page. Each is an image with a text for whoever does not see it; the numbers stand
// in the table beside it (figure.tsx).
import type { Lang } from "../app/api.ts";
import { decimal, monthName } from "./figure.tsx";
import { isShown, type Month, type Paired } from "./network_data.ts";

const W = 640;

/** Before and after on one line from 0 to 100, with the spread of the difference around the second. */
export function PairedChart({ of, label, lang }: { of: Paired; label: string; lang: Lang }) {
  const x = (v: number) => 24 + (Math.min(100, Math.max(0, v)) / 100) * (W - 48);
  const base = of.baseline ?? 0;
  const follow = of.follow_up ?? 0;
  const sd = of.sd ?? 0;
  return (
    <svg class="chart" viewBox={`0 0 ${W} 92`} role="img" aria-label={label}>
      <line class="axis" x1={x(0)} x2={x(100)} y1={66} y2={66} />
      {[0, 25, 50, 75, 100].map((v) => (
        <g key={v}>
          <line class="axis" x1={x(v)} x2={x(v)} y1={62} y2={70} />
          <text class="tick" x={x(v)} y={86} text-anchor="middle">
            {v}
          </text>
        </g>
      ))}
      {sd > 0 && (
        <rect
          class="spread"
          x={x(follow - sd)}
          y={32}
          width={x(follow + sd) - x(follow - sd)}
          height={14}
          rx={3}
        />
      )}
      <line class="change" x1={x(base)} x2={x(follow)} y1={39} y2={39} />
      <circle class="before" cx={x(base)} cy={39} r={9} />
      <circle class="after" cx={x(follow)} cy={39} r={9} />
      <text class="mark" x={x(base)} y={20} text-anchor={base <= follow ? "end" : "start"}>
        {decimal(lang, base)}
      </text>
      <text class="mark strong" x={x(follow)} y={20} text-anchor={base <= follow ? "start" : "end"}>
        {decimal(lang, follow)}
      </text>
    </svg>
  );
}

/** Days of use a client and week, a line over the months; under it incidents per 100 days of use. Months
 *  that may not be shown are a gap with a mark of its own. months: oldest first. */
export function UseChart({ months, label, lang }: { months: readonly Month[]; label: string; lang: Lang }) {
  const H = 244;
  const FLOOR = 214; // of the bars
  const left = 30;
  const step = (W - left - 16) / Math.max(1, months.length - 1);
  const x = (i: number) => (months.length === 1 ? W / 2 : left + i * step);
  const y = (v: number) => 150 - (Math.min(7, v) / 7) * 130;
  const most = Math.max(1, ...months.map((m) => (isShown(m.incidents) ? m.incidents.value : 0)));
  const every = Math.ceil(months.length / 9);
  const runs = lines(
    months.map((m, i) => (isShown(m.days_week) ? ([x(i), y(m.days_week.value)] as const) : null)),
  );
  return (
    <svg class="chart" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={label}>
      {[0, 2, 4, 6].map((v) => (
        <g key={v}>
          <line class="grid-line" x1={left} x2={W - 16} y1={y(v)} y2={y(v)} />
          <text class="tick" x={left - 8} y={y(v) + 4} text-anchor="end">
            {v}
          </text>
        </g>
      ))}
      {runs.map((points, i) => (
        <polyline key={i} class="line" points={points} />
      ))}
      {months.map((m, i) =>
        isShown(m.days_week) ? (
          <circle key={m.month} class="after" cx={x(i)} cy={y(m.days_week.value)} r={4.5} />
        ) : (
          <rect key={m.month} class="gap" x={x(i) - 5} y={y(0) - 10} width={10} height={10} />
        ),
      )}
      {months.map((m, i) =>
        isShown(m.incidents) ? (
          <rect
            key={m.month}
            class="incident"
            x={x(i) - 5}
            y={FLOOR - (m.incidents.value / most) * 34}
            width={10}
            height={Math.max(1, (m.incidents.value / most) * 34)}
          />
        ) : (
          <rect key={m.month} class="gap" x={x(i) - 5} y={FLOOR - 10} width={10} height={10} />
        ),
      )}
      <line class="axis" x1={left} x2={W - 16} y1={FLOOR} y2={FLOOR} />
      {[0, most].map((v) => (
        <text key={v} class="tick incident-tick" x={left - 8} y={FLOOR + 4 - (v / most) * 34} text-anchor="end">
          {decimal(lang, v, 0)}
        </text>
      ))}
      {months.map((m, i) =>
        (months.length - 1 - i) % every ? null : (
          <text
            key={m.month}
            class="tick"
            x={x(i)}
            y={FLOOR + 20}
            text-anchor={anchor(i, months.length)}
          >
            {monthName(lang, m.month, true)}
          </text>
        ),
      )}
    </svg>
  );
}
/** The first and the last word stay within the picture. */
const anchor = (i: number, n: number): "start" | "middle" | "end" =>
  n > 1 && i === 0 ? "start" : n > 1 && i === n - 1 ? "end" : "middle";
/** Points that follow each other, as polylines. */
function lines(points: readonly (readonly [number, number] | null)[]): string[] {
  const runs: string[] = [];
  let run: string[] = [];
  for (const p of [...points, null]) {
    if (p) run.push(`${p[0].toFixed(1)},${p[1].toFixed(1)}`);
    else {
      if (run.length > 1) runs.push(run.join(" "));
      run = [];
    }
  }
  return runs;
}

/** One bar of 0 to 100 per cent; its number stands beside it. */
export function Bar({ share, tone = "after" }: { share: number; tone?: "after" | "soft" }) {
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-back" x={0} y={0} width={100} height={10} />
      <rect class={tone} x={0} y={0} width={Math.min(100, Math.max(0, share))} height={10} />
    </svg>
  );
}
