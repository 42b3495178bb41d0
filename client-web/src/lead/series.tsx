// The use of technology over the months, by uPlot: a line of days of use, under it incidents as bars on a
// scale of their own. It is drawn twice, because a canvas has its colours and dots once and for all: for the
// screen, anew when theme or width change, and for paper, with more dots and in the light theme's colours.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Lang } from "../app/api.ts";
import { decimal, monthName } from "./figure.tsx";
import { isShown, type Month } from "./network_data.ts";

const DAYS = 7; // in a week: the top of the scale
const BARS = 0.22; // of the height is for bars,
const FLOOR = 0.36; // and here the line's scale begins
/** What is drawn on paper: CSS pixels of half an A4, and how many dots there are to one. */
const PAPER = { width: 340, height: 128, font: 11, dots: 4 };

interface Props {
  /** oldest first */
  months: readonly Month[];
  label: string;
  lang: Lang;
  /** a month in words */
  say: (month: Month) => string;
}
/** Months that may not be shown are a gap with a mark of its own. */
export function UseChart({ months, label, lang, say }: Props) {
  const screen = useRef<HTMLDivElement>(null);
  const paper = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = useTheme();
  const series = useMemo(() => columns(months), [months]);
  useEffect(() => {
    const host = screen.current!;
    const font = Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125);
    const drawing = { months, lang, ink: inkOf(host), font, scale: 1 };
    const size = () => ({ width: host.clientWidth, height: host.clientHeight });
    const plot = new uPlot(
      {
        ...options(drawing),
        ...size(),
        cursor: CURSOR,
        hooks: { draw: [(u) => drawGaps(u, drawing)], setCursor: [(u) => setAt(u.cursor.idx ?? null)] },
      },
      series,
      host,
    );
    // of no width while the page prints
    const watch = new ResizeObserver(() => host.clientWidth > 0 && plot.setSize(size()));
    watch.observe(host);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [series, lang, theme]);
  useEffect(() => {
    const host = paper.current!;
    const scale = PAPER.dots / devicePixelRatio; // uPlot has one ratio for all, the screen's
    const drawing = { months, lang, ink: inkOf(host), font: PAPER.font, scale };
    new uPlot(
      {
        ...options(drawing),
        width: PAPER.width * scale,
        height: PAPER.height * scale,
        cursor: { show: false },
        hooks: {
          draw: [(u) => drawGaps(u, drawing)],
          ready: [
            (u) => {
              host.replaceChildren(u.ctx.canvas);
              u.destroy();
            },
          ],
        },
      },
      series,
    );
  }, [series, lang]);
  const month = months[at ?? months.length - 1];
  return (
    <>
      <div class="series" role="img" aria-label={label}>
        <div class="series-screen" ref={screen} />
        <div class="series-paper" ref={paper} />
      </div>
      <p class="sub series-at no-print" aria-hidden="true">
        {month && say(month)}
      </p>
    </>
  );
}

/** The theme that the page has; it may change while it is open. */
function useTheme(): string | undefined {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme);
  useEffect(() => {
    const watch = new MutationObserver(() => setTheme(root.dataset.theme));
    watch.observe(root, { attributeFilter: ["data-theme"] });
    return () => watch.disconnect();
  }, []);
  return theme;
}

function columns(months: readonly Month[]): uPlot.AlignedData {
  return [
    months.map((_, i) => i),
    months.map((m) => (isShown(m.days_week) ? Math.min(DAYS, m.days_week.value) : null)),
    months.map((m) => (isShown(m.incidents) ? m.incidents.value : null)),
  ];
}

/** A line at the month that is pointed at, nothing to drag or zoom. */
const CURSOR: uPlot.Cursor = {
  y: false,
  points: { show: false },
  drag: { x: false, y: false, setScale: false },
  bind: { dblclick: () => null },
};

interface Ink {
  family: string;
  text: string;
  muted: string;
  line: string;
  edge: string;
  accent: string;
  incident: string;
}
/** Colours of the page's styles where an element stands. */
function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    family: style.fontFamily,
    text: of("--text"),
    muted: of("--muted"),
    line: of("--line"),
    edge: of("--edge"),
    accent: of("--accent"),
    incident: of("--incident"),
  };
}

interface Drawing {
  months: readonly Month[];
  lang: Lang;
  ink: Ink;
  /** pixels; a whole number, uPlot reads no other */
  font: number;
  /** how much larger than on the screen everything is */
  scale: number;
}
function options({ months, lang, ink, font, scale }: Drawing): Omit<uPlot.Options, "width" | "height"> {
  const n = months.length;
  const most = Math.max(1, ...months.map((m) => (isShown(m.incidents) ? m.incidents.value : 0)));
  const point = scale * (n > 12 ? 6 : 9);
  const axis = {
    font: `${Math.round(font * scale)}px ${ink.family}`,
    gap: 6 * scale,
    ticks: { show: false },
    size: (_: uPlot, words: string[] | null) =>
      scale * (10 + 0.62 * font * Math.max(1, ...(words ?? []).map((w) => w.length))),
    values: (_: uPlot, at: number[]) => at.map((v) => decimal(lang, v)),
  };
  const border = { show: true, stroke: ink.edge, width: scale };
  return {
    legend: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    padding: [8 * scale, 0, 0, 0],
    scales: {
      x: { time: false, range: [-0.5, n - 0.5] },
      days: { range: [(-DAYS * FLOOR) / (1 - FLOOR), DAYS] },
      incidents: { range: [0, most / BARS] },
    },
    axes: [
      {
        ...axis,
        stroke: ink.muted,
        grid: { show: false },
        border,
        space: 5 * font * scale,
        size: 2 * font * scale,
        incrs: [1, 2, 3, 4, 6, 12, 24],
        splits: (_u, _axis, _min, _max, step) => backwards(n - 1, step),
        values: (_u, at) => at.map((i) => monthName(lang, months[i].month, true)),
      },
      {
        ...axis,
        scale: "days",
        stroke: ink.muted,
        grid: { stroke: ink.line, width: scale },
        splits: () => [0, 2, 4, 6],
      },
      {
        ...axis,
        scale: "incidents",
        side: 1,
        stroke: ink.incident,
        grid: { show: false },
        splits: () => [0, most],
      },
    ],
    series: [
      {},
      {
        scale: "days",
        stroke: ink.accent,
        width: 3 * scale,
        points: { show: true, size: point, width: 0, fill: ink.accent },
      },
      {
        scale: "incidents",
        fill: ink.incident,
        width: 0,
        paths: uPlot.paths.bars!({ size: [0.6, 10 * scale] }),
        points: { show: false },
      },
    ],
  };
}
/** The last month always has its name. */
function backwards(last: number, step: number): number[] {
  const at: number[] = [];
  for (let i = last; i >= 0; i -= Math.max(1, step)) at.unshift(i);
  return at;
}

/** The marks of what may not be shown, where its value would begin. */
function drawGaps(u: uPlot, { months, ink, scale }: Drawing): void {
  const { ctx } = u;
  const dot = scale * uPlot.pxRatio;
  const side = Math.min(10 * dot, (u.bbox.width / months.length) * 0.7);
  ctx.save();
  ctx.strokeStyle = ink.muted;
  ctx.lineWidth = dot;
  ctx.setLineDash([2 * dot, 2 * dot]);
  for (const [i, m] of months.entries())
    for (const scaleName of ["days", "incidents"] as const) {
      if (isShown(scaleName === "days" ? m.days_week : m.incidents)) continue;
      const y = u.valToPos(0, scaleName, true);
      ctx.strokeRect(u.valToPos(i, "x", true) - side / 2, y - side, side, side);
    }
  ctx.restore();
}
