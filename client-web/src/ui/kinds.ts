// What the screens know of single kinds beyond their schemas: which answers a form begins with, which times
// may be
// copied, what a line of the timeline says. All by stable names; a kind or field that is not here works
// without.
import type { FieldInfo, KindInfo } from "../app/api.ts";
import type { IconName } from "./icons.tsx";

export interface Hints {
  icon: IconName;
  /** shown as one block above the questions: context, no observation */
  given: readonly string[];
  /** codes that a form begins with */
  start: Readonly<Record<string, number>>;
  /** context taken over from the client's latest record of this kind */
  remember: readonly string[];
  /** times that say how it went: offered as a choice, never copied */
  outcomeTimes: readonly string[];
  /** what a line of the timeline says, in this order */
  summary: readonly string[];
  /** of these, the ones that say nothing without their label */
  withLabel: readonly string[];
  /** usual clock times to offer where nothing is known of the client */
  times: Readonly<Record<string, readonly string[]>>;
  /** beyond the required ones: questions that belong on the first page */
  asked: readonly string[];
}

const NONE: Hints = {
  icon: "note",
  given: [],
  start: {},
  remember: ["project"],
  outcomeTimes: [],
  summary: [],
  withLabel: [],
  times: {},
  asked: [],
};

const HINTS: Readonly<Record<string, Partial<Hints>>> = {
  sleep: {
    icon: "moon",
    given: ["source"],
    // who fills in this form on a tablet of the team observes; a sensor's night comes by import
    start: { source: 1 },
    outcomeTimes: ["final_wake_at"],
    summary: ["bed_at", "out_of_bed_at", "quality", "wake_count"],
    times: {
      bed_at: ["21:30", "22:00", "22:30", "23:00", "23:30"],
      sleep_try_at: ["22:00", "22:30", "23:00", "23:30", "00:00"],
      final_wake_at: ["06:00", "06:30", "07:00", "07:30", "08:00"],
      out_of_bed_at: ["06:30", "07:00", "07:30", "08:00", "08:30"],
    },
  },
  sleep_check: { icon: "eye", summary: ["state"] },
  day_structure: {
    icon: "sun",
    outcomeTimes: ["realised_at"],
    summary: ["category", "realised", "prompt_level"],
    withLabel: ["realised", "prompt_level"],
  },
  social_contact: { icon: "people", summary: ["mode", "partner", "valence"] },
  tech_use: {
    icon: "device",
    remember: ["project", "technology_id"],
    summary: ["technology_id", "used", "incident"],
    withLabel: ["used", "incident"],
  },
  goal: {
    icon: "target",
    remember: ["project", "goal_id", "domain", "goal_text", "weight", "scale_version"],
    summary: ["goal_text", "domain", "score"],
  },
  remote_care: { icon: "video", summary: ["mode", "purpose", "duration_min"] },
};

export const hintsOf = (kind: KindInfo): Hints => ({ ...NONE, ...HINTS[kind.name] });

/** The rounds of a night: the kind that quick taps write. */
export const ROUNDS = "sleep_check";

export const fieldNamed = (kind: KindInfo, name: string): FieldInfo | undefined =>
  kind.fields.find((f) => f.name === name);
export const fieldOf = (kind: KindInfo, id: number): FieldInfo | undefined =>
  kind.fields.find((f) => f.id === id);

/** The field that says which night a record is about; undefined for kinds that are not about nights. */
export const nightField = (kind: KindInfo): FieldInfo | undefined => {
  const named = fieldNamed(kind, "night_date");
  return named?.type === "date" ? named : undefined;
};
