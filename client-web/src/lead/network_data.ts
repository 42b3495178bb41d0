// What GET /api/network answers (server/insight/sv_network_page.h).
export interface Cell {
  hidden?: true;
  clients?: number;
  organisations?: number;
  value?: number;
  sd?: number;
  baseline?: number;
  follow_up?: number;
}
export interface Network {
  number: number;
  name: string;
  type: "content" | "remote";
}
export interface Paired extends Cell {
  measure: string;
  unit: string;
  source?: string;
  source_nl?: string;
}
export interface Month {
  month: string;
  days_week: Cell;
  incidents: Cell;
  days_total: Cell;
}
export interface Score extends Cell {
  scale: number;
  code: number;
  nl: string;
  en: string;
}
export interface NetworkPage {
  release: { id: string; hash: string } | null;
  network: Network | null;
  networks: Network[];
  hidden: { nl: string; en: string; why_nl: string; why_en: string };
  paired: Paired[];
  technology: Month[];
  goals: { attained: (Cell & { scale: number })[]; scores: Score[] };
  stories: {
    count: number;
    min: number;
    max: number;
    text_nl: string;
    text_en: string;
    items: { title?: string; date?: string; link?: string }[];
  };
  lessons: { number?: number; title?: string; text?: string; main: boolean }[];
  /** of the release, all networks together; with a release only */
  barriers?: { theme: number; nl: string; en: string; effect: "hinders" | "helps" }[];
  experts: { name?: string; organisation: string; about?: string; contact?: string }[];
}
/** Is there a figure to show? */
export const isShown = (c: Cell | undefined): c is Cell & { value: number } =>
  c !== undefined && !c.hidden && typeof c.value === "number";
/** Does the difference not look like the one between the two figures beside it? The release rounds each for
 *  itself, and how it stood before rounding is not for telling. */
export const isRoundedApart = (p: Paired): boolean =>
  isShown(p) && Math.abs((p.follow_up ?? 0) - (p.baseline ?? 0) - p.value) > 0.01;
