// Texts of the frame for those who work at a desk, Dutch and English; screens bring their own.
import type { Lang } from "../app/api.ts";

export type Texts = Readonly<Record<string, readonly [nl: string, en: string]>>;
export type Fill = Readonly<Record<string, string | number>>;

/** A text with {names} filled in. */
export function say(texts: Texts, lang: Lang, key: string, fill: Fill = {}): string {
  const pair = texts[key];
  if (!pair) throw new Error(`no text ${key}`);
  return pair[lang === "nl" ? 0 : 1].replace(/\{(\w+)\}/g, (all, name: string) =>
    name in fill ? String(fill[name]) : all,
  );
}

export const FRAME = {
  app: ["Overdracht", "Overdracht"],
  skip: ["Naar de inhoud", "Skip to content"],
  language: ["English", "Nederlands"],
  sign_out: ["Uitloggen", "Sign out"],
  leaving: ["Bezig met uitloggen …", "Signing out …"],
  loading: ["Even wachten …", "One moment …"],
  again: ["Opnieuw proberen", "Try again"],
  menu: ["Onderdelen", "Sections"],
  own: ["Onze organisatie", "Our organisation"],
  network: ["Netwerk", "Network"],
  write: ["Verhalen en lessen", "Stories and lessons"],
  research: ["Onderzoek", "Research"],
  account: ["Mijn account", "My account"],
  nothing: ["Voor uw rol is hier niets te zien.", "There is nothing to see here for your role."],
  // -- signing in
  in_title: ["Inloggen", "Sign in"],
  in_lead: [
    "Voor projectleiders, experts, beheerders en onderzoekers. Begeleiders werken op de tablet van hun team.",
    "For project leads, experts, administrators and researchers. Carers work on their team's tablet.",
  ],
  in_name: ["Inlognaam", "Sign-in name"],
  in_password: ["Wachtwoord", "Password"],
  in_next: ["Verder", "Next"],
  in_busy: ["Even controleren …", "Checking …"],
  in_code_title: ["Code van uw telefoon", "Code from your phone"],
  in_code: ["Code", "Code"],
  in_code_help: [
    "De zes cijfers uit de app op uw telefoon, of een van uw herstelcodes.",
    "The six digits of the app on your phone, or one of your recovery codes.",
  ],
  in_go: ["Inloggen", "Sign in"],
  in_back: ["Opnieuw beginnen", "Start again"],
  in_empty: ["Vul dit in.", "Fill this in."],
  in_wait: ["Probeer het over {n} seconden opnieuw.", "Try again in {n} seconds."],
  in_ended: ["U bent uitgelogd. Log opnieuw in om verder te gaan.", "You were signed out. Sign in to go on."],
  in_recovery: [
    "U gebruikte een herstelcode. U heeft er nog {n}. Vraag de beheerder om nieuwe als het er weinig zijn.",
    "You used a recovery code. {n} are left. Ask the administrator for new ones when they run low.",
  ],
} as const satisfies Texts;
