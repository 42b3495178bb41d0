// What is said to a carer when something goes wrong: short, Dutch first, with what to do about it.
import { AppError, type AppErrorCode, type Notice, type Text } from "./api.ts";
import { HELD_REASONS } from "../proto/generated.ts";
import { type WireError, errorOfNumber } from "../proto/error.ts";

const t = (nl: string, en: string): Text => ({ nl, en });

const ADVICE = {
  admin: t("Bel de beheerder.", "Call the administrator."),
  wait: t(
    "Je hoeft niets te doen. De tablet probeert het vanzelf opnieuw.",
    "Nothing to do. The tablet tries again by itself.",
  ),
  network: t(
    "Kijk of wifi aan staat. De tablet probeert het vanzelf opnieuw.",
    "Check the wifi. The tablet tries again by itself.",
  ),
  reload: t("Laad de app opnieuw.", "Load the app again."),
  again: t("Probeer het opnieuw.", "Try again."),
  sync: t("Zet wifi aan en kies ‘Nu versturen’.", "Turn wifi on and choose ‘Send now’."),
};

const ERRORS: Record<AppErrorCode, [Text, Text]> = {
  code_wrong: [
    t("De code klopt niet, of is al gebruikt of te oud.", "The code is wrong, used or expired."),
    t("Vraag de beheerder om een nieuwe code.", "Ask the administrator for a new code."),
  ],
  offline: [t("Er is geen verbinding.", "There is no connection."), ADVICE.network],
  server: [t("De server kan dit nu niet doen.", "The server cannot do this now."), ADVICE.again],
  version: [
    t("Deze app past niet meer bij de server.", "This app no longer fits the server."),
    t(
      "Werk de app bij zodra dat kan. Wat je invult blijft bewaard en gaat daarna mee.",
      "Update the app as soon as you can. What you enter is kept, and sent after that.",
    ),
  ],
  storage: [t("De opslag van deze tablet werkt niet.", "This tablet's storage does not work."), ADVICE.admin],
  storage_full: [
    t("De tablet is vol. Dit is niet opgeslagen.", "The tablet is full. This was not saved."),
    t("Maak ruimte vrij op de tablet en sla opnieuw op.", "Free space on the tablet and save again."),
  ],
  revoked: [
    t("De beheerder heeft deze tablet geblokkeerd.", "The administrator has blocked this tablet."),
    t("Breng de tablet naar de beheerder.", "Take the tablet to the administrator."),
  ],
  locked: [
    t(
      "Deze tablet had te lang geen verbinding. Maak verbinding om alles weer te zien. " +
        "Invullen kan wel: er raakt niets kwijt.",
      "This tablet had no connection for too long. Connect to see everything again. " +
        "You can still make entries: nothing is lost.",
    ),
    ADVICE.sync,
  ],
  closed: [
    t(
      "Deze tablet is op slot. Maak verbinding om alles te zien. Invullen kan wel: er raakt niets kwijt.",
      "This tablet is locked. Connect to see everything. You can still make entries: nothing is lost.",
    ),
    ADVICE.sync,
  ],
  not_enrolled: [
    t("Deze tablet is nog niet aangemeld.", "This tablet is not enrolled."),
    t("Vraag de beheerder om een code.", "Ask the administrator for a code."),
  ],
  not_signed_in: [
    t("Er is niemand aangemeld.", "Nobody is signed in."),
    t("Kies je naam en typ je pincode.", "Choose your name and type your PIN."),
  ],
  pin_exists: [
    t("Je hebt al een pincode op deze tablet.", "You already have a PIN on this tablet."),
    t(
      "Typ je pincode. Vergeten? Vraag een collega om hem te wissen.",
      "Type your PIN. Forgotten? Ask a colleague to clear it.",
    ),
  ],
  pin_weak: [
    t(
      "Een pincode heeft 4 tot 12 cijfers, en niet steeds hetzelfde cijfer.",
      "A PIN has 4 to 12 digits, not all the same.",
    ),
    t("Kies een andere pincode.", "Choose another PIN."),
  ],
  own_pin: [
    t("Je kunt je eigen pincode niet wissen.", "You cannot clear your own PIN."),
    t("Vraag een collega.", "Ask a colleague."),
  ],
  person_gone: [t("Deze naam is niet meer in gebruik.", "This name is no longer in use."), ADVICE.admin],
  problems: [
    t("Er klopt nog iets niet.", "Something is not right yet."),
    t("Kijk bij de rode velden.", "See the fields in red."),
  ],
  gone: [
    t("Dit is niet meer op deze tablet.", "This is no longer on this tablet."),
    t("Ga terug naar de lijst.", "Go back to the list."),
  ],
};

export const appError = (code: AppErrorCode, cause?: unknown): AppError =>
  new AppError(code, ...ERRORS[code], [], cause);
export const noticeOf = (code: AppErrorCode): Notice => ({
  code,
  text: ERRORS[code][0],
  todo: ERRORS[code][1],
});

/** What failed in the database, as something that can be shown. */
export function storageError(e: unknown): AppError {
  if (e instanceof AppError) return e;
  const name = e instanceof Error || e instanceof DOMException ? e.name : "";
  return appError(name === "QuotaExceededError" ? "storage_full" : "storage", e);
}

/** What a work on the database gives, or what failed in words. */
export async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    throw storageError(e);
  }
}

// -- why a sync failed ----------------------------------------------------------------------------------

const n = (code: string, text: Text, todo: Text): Notice => ({ code, text, todo });
const FAULT = n(
  "fault",
  t("Er ging iets mis bij het versturen.", "Something went wrong while sending."),
  ADVICE.wait,
);
const SYNC: Partial<Record<WireError, Notice>> = {
  busy: n("busy", t("De server is druk.", "The server is busy."), ADVICE.wait),
  full: n(
    "full",
    t("De server is vol. Je invoer blijft op deze tablet.", "The server is full. Entries stay here."),
    ADVICE.admin,
  ),
  readonly: n(
    "readonly",
    t(
      "De server neemt nu niets aan. Je invoer blijft op deze tablet.",
      "The server takes nothing now. Entries stay here.",
    ),
    ADVICE.admin,
  ),
  version: n("version", ...ERRORS.version),
  auth: n(
    "auth",
    t("De server herkent deze tablet niet.", "The server does not recognise this tablet."),
    ADVICE.admin,
  ),
  revoked: n("revoked", ...ERRORS.revoked),
  foreign: n(
    "foreign",
    t("De server kent deze tablet als een andere.", "The server knows this tablet as another one."),
    ADVICE.admin,
  ),
  code: n("code", ...ERRORS.code_wrong),
  timeout: n("timeout", t("De verbinding is traag.", "The connection is slow."), ADVICE.wait),
  shutdown: n("shutdown", t("De server start opnieuw.", "The server is restarting."), ADVICE.wait),
  flood: n(
    "flood",
    t("De server krijgt te veel tegelijk.", "The server gets too much at once."),
    ADVICE.wait,
  ),
};
/** Of the number with which a session ended; 0 is none. */
export const syncNotice = (error: number): Notice | null =>
  error === 0 ? null : (SYNC[errorOfNumber(error) ?? "busy"] ?? FAULT);
export const OFFLINE: Notice = n("offline", ...ERRORS.offline);
export const UNREACHABLE: Notice = n(
  "unreachable",
  t(
    "De server is niet te bereiken. Je invoer blijft op deze tablet.",
    "The server cannot be reached. Entries stay here.",
  ),
  ADVICE.wait,
);
export const BROKEN: Notice = n(
  "broken",
  t(
    "De verbinding viel weg. Je invoer blijft op deze tablet.",
    "The connection was lost. Entries stay here.",
  ),
  ADVICE.wait,
);

// -- the state of the device ----------------------------------------------------------------------------

export const STORE_LOST: Notice = n(
  "store_lost",
  t(
    "De browser heeft de gegevens van deze tablet gewist. Wat nog niet verstuurd was, is weg.",
    "The browser has erased this tablet's data. What was not sent is lost.",
  ),
  t("Bel de beheerder voor een nieuwe code.", "Call the administrator for a new code."),
);
export const NEWER_APP: Notice = n(
  "newer_app_elsewhere",
  t("Er draait een nieuwere versie van de app.", "A newer version of the app is running."),
  ADVICE.reload,
);

// -- held entries ---------------------------------------------------------------------------------------

const FIX = t("Tik op ‘Verbeter dit’, verander het antwoord en sla op.", "Tap ‘Correct this’, change the answer and save.");
const WAY_OUT: Readonly<Record<number, [string, Text]>> = {
  1: ["Een antwoord past niet bij de vraag.", FIX],
  2: ["Een getal of tijd is te hoog of te laag.", FIX],
  3: ["Een antwoord staat niet in de lijst.", FIX],
  4: ["Een tekst is te lang.", FIX],
  5: ["Een vraag bestaat niet meer in dit formulier.", ADVICE.reload],
  6: ["Deze medewerker mag dit niet invoeren.", ADVICE.admin],
  7: ["Deze tablet mag dit niet invoeren.", ADVICE.admin],
  8: ["Dit hoort niet bij dit team.", ADVICE.admin],
  9: ["De gegevens van deze cliënt zijn gewist.", t("Er is niets te doen.", "Nothing to do.")],
  10: ["Het formulier past niet bij deze invoer.", ADVICE.admin],
  11: ["Er wordt verwezen naar iets dat niet past.", FIX],
  12: ["De tablet was geblokkeerd toen dit werd verstuurd.", ADVICE.admin],
  13: ["Hier is te vaak iets aan veranderd.", ADVICE.admin],
};
export function heldNotice(reason: number): Notice {
  const [nl, todo] = WAY_OUT[reason] ?? ["De server houdt deze invoer vast.", ADVICE.admin];
  return n(`held_${reason}`, t(nl, sentence(HELD_REASONS[reason] ?? "the server holds this entry")), todo);
}
const sentence = (text: string): string => `${text[0].toUpperCase()}${text.slice(1)}.`;
export const DISMISSED: Notice = n(
  "dismissed",
  t("De beheerder heeft deze invoer afgewezen.", "The administrator dismissed this entry."),
  t("Voer het opnieuw in als het toch klopt.", "Enter it again if it is right."),
);
export const REFUSED: Notice = n(
  "refused",
  t("De server kan deze invoer niet lezen.", "The server cannot read this entry."),
  t(
    "Bewaar hem als bestand en geef dat aan de beheerder.",
    "Save it as a file and give that to the administrator.",
  ),
);
