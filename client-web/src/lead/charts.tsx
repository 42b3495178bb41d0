// Pictures of the network page that are no series (series.tsx), in plain SVG. Each is an image with a text for
// whoever does not see it; the numbers stand in the table beside it (figure.tsx).
import type { Lang } from "../app/api.ts";
import { decimal } from "./figure.tsx";
import type { Paired } from "./network_data.ts";

const W = 640;

/** Before and after on one line from 0 to 100, with the spread of the difference around the second. */
export function PairedChart({ of, label, lang }: { of: Paired; label: string; lang: Lang }) {
  const x = (v: number) => 24 + (Math.min(100, Math.max(0, v)) / 100) * (W - 48);
  const base = of.baseline ?? 0;
  const follow = of.follow_up ?? 0;
  const sd = of.sd ?? 0;
  return (
    <svg class="chart" viewBox={`0 0 ${W} 98`} role="img" aria-label={label}>
      <line class="axis" x1={x(0)} x2={x(100)} y1={66} y2={66} />
      {[0, 25, 50, 75, 100].map((v) => (
        <g key={v}>
          <line class="axis" x1={x(v)} x2={x(v)} y1={62} y2={70} />
          <text class="tick" x={x(v)} y={74} text-anchor="middle" dominant-baseline="hanging">
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

/** One bar of 0 to 100 per cent; its number stands beside it. */
export function Bar({ share, tone = "after" }: { share: number; tone?: "after" | "soft" }) {
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-back" x={0} y={0} width={100} height={10} />
      <rect class={tone} x={0} y={0} width={Math.min(100, Math.max(0, share))} height={10} />
    </svg>
  );
}
