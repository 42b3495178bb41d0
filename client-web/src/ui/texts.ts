// Every text of the screens, Dutch and English. Dutch is written for a tired carer at 23:05: short, active,
// B1.
// {name} stands for what is filled in. Labels of kinds, fields and codes come from the schemas, not from
// here.
import type { Lang } from "../app/api.ts";

const TEXTS = {
  // -- everywhere
  app: ["Overdracht", "Overdracht"],
  skip: ["Naar de inhoud", "Skip to content"],
  back: ["Terug", "Back"],
  cancel: ["Annuleren", "Cancel"],
  close: ["Sluiten", "Close"],
  change: ["Wijzigen", "Change"],
  undo: ["Herstel", "Undo"],
  again: ["Opnieuw proberen", "Try again"],
  loading: ["Even wachten …", "One moment …"],
  yes: ["Ja", "Yes"],
  no: ["Nee", "No"],
  today: ["Vandaag", "Today"],
  yesterday: ["Gisteren", "Yesterday"],
  tomorrow: ["Morgen", "Tomorrow"],
  this_night: ["Afgelopen nacht", "Last night"],
  unknown_person: ["onbekend", "unknown"],
  by_at: ["{name}, {time}", "{name}, {time}"],
  clock_suspect: ["klok van die tablet liep verkeerd", "that tablet's clock was wrong"],
  minutes: ["{n} min", "{n} min"],
  gone: ["Dit staat niet meer op deze tablet.", "This is no longer on this tablet."],
  to_board: ["Naar het team", "To the team"],
  something_wrong: ["Dit ging niet goed.", "Something went wrong."],
  nothing_lost: ["Er is niets verloren.", "Nothing is lost."],
  main_menu: ["Menu", "Menu"],

  // -- enrolment
  enrol_title: ["Tablet aanmelden", "Enrol this tablet"],
  enrol_lead: [
    "Je hebt een code van de beheerder nodig. De code werkt één keer, 15 minuten lang.",
    "You need a code from your administrator. It works once, for 15 minutes.",
  ],
  enrol_code: ["Code", "Code"],
  enrol_code_help: ["Bijvoorbeeld ABCD-EFGH-JKMN", "For example ABCD-EFGH-JKMN"],
  enrol_name: ["Naam van deze tablet", "Name of this tablet"],
  enrol_name_help: ["Zo vindt de beheerder hem terug.", "So that the administrator can find it."],
  enrol_name_default: ["Tablet", "Tablet"],
  enrol_go: ["Aanmelden", "Enrol"],
  enrol_busy: ["De tablet haalt de gegevens van het team op …", "The tablet fetches the team's data …"],
  enrol_scan: ["Scan de QR-code", "Scan the QR code"],
  enrol_scanning: ["Houd de QR-code voor de camera.", "Hold the QR code in front of the camera."],
  enrol_no_camera: [
    "De camera werkt niet. Typ de code over.",
    "The camera does not work. Please type the code.",
  ],
  enrol_empty: ["Vul de code in.", "Enter the code."],
  enrol_name_empty: ["Geef de tablet een naam.", "Give the tablet a name."],

  // -- choosing a person, PIN
  who_title: ["Wie ben je?", "Who are you?"],
  who_lead: ["Tik op je naam.", "Tap your name."],
  who_none: [
    "Er staan nog geen collega’s op deze tablet. Haal ze op, of bel de beheerder.",
    "There are no colleagues on this tablet yet. Fetch them, or call the administrator.",
  ],
  who_fetch: ["Nu ophalen", "Fetch now"],
  who_new: ["nog geen pincode", "no PIN yet"],
  who_new_later: ["nog geen pincode, maak eerst verbinding", "no PIN yet, connect first"],
  pin_title: ["Pincode van {name}", "PIN of {name}"],
  pin_new_title: ["Kies een pincode, {name}", "Choose a PIN, {name}"],
  pin_new_lead: [
    "4 tot 12 cijfers. De pincode geldt alleen op deze tablet.",
    "4 to 12 digits. The PIN counts on this tablet only.",
  ],
  pin_repeat: ["Nog een keer dezelfde pincode", "The same PIN once more"],
  pin_differs: [
    "Dat waren twee verschillende pincodes. Begin opnieuw.",
    "Those were two different PINs. Start again.",
  ],
  pin_ok: ["Verder", "Continue"],
  pin_delete: ["Wis laatste cijfer", "Delete last digit"],
  pin_entered: ["{n} cijfers ingevuld", "{n} digits entered"],
  pin_wait: ["Wacht nog {n} seconden.", "Wait {n} more seconds."],
  pin_forgot: ["Pincode vergeten?", "Forgot your PIN?"],
  pin_forgot_how: [
    "Een collega die is aangemeld kan je pincode wissen: Instellingen, Pincodes. Daarna kies je een nieuwe.",
    "A colleague who is signed in can clear your PIN: Settings, PINs. Then you choose a new one.",
  ],
  not_you: ["Iemand anders", "Someone else"],
  switch_person: ["Wissel", "Switch"],
  switch_person_label: ["Vergrendel en wissel van collega", "Lock and switch colleague"],
  signed_in_as: ["Aangemeld: {name}", "Signed in: {name}"],

  // -- team board
  board_greeting_night: ["Goedenacht, {name}", "Good night, {name}"],
  board_greeting_morning: ["Goedemorgen, {name}", "Good morning, {name}"],
  board_greeting_day: ["Goedemiddag, {name}", "Good afternoon, {name}"],
  board_greeting_evening: ["Goedenavond, {name}", "Good evening, {name}"],
  shift_night: ["Nachtdienst", "Night shift"],
  shift_day: ["Dagdienst", "Day shift"],
  shift_evening: ["Avonddienst", "Evening shift"],
  board_open_one: ["Nog 1 cliënt open", "1 client still open"],
  board_open_more: ["Nog {n} cliënten open", "{n} clients still open"],
  board_all_done: ["Alles ingevuld voor deze dienst", "All filled in for this shift"],
  board_none: [
    "Er staan nog geen cliënten van dit team op de tablet.",
    "There are no clients of this team on the tablet yet.",
  ],
  board_clients: ["Cliënten", "Clients"],
  board_open: ["{kind} open", "{kind} open"],
  board_nothing_open: ["Niets open", "Nothing open"],
  board_done_one: ["1 ingevuld", "1 entry"],
  board_done_more: ["{n} ingevuld", "{n} entries"],
  board_look: ["Bekijk dit", "Look at this"],
  team: ["Team", "Team"],
  rounds: ["Nachtronde", "Night round"],
  handover: ["Overdracht", "Hand-over"],
  attention: ["Aandacht", "Attention"],
  settings: ["Instellingen", "Settings"],

  // -- client
  client_new: ["Nieuw", "New entry"],
  client_timeline: ["Afgelopen 14 dagen", "Last 14 days"],
  client_older: ["Ouder", "Older"],
  client_none: ["Nog niets ingevuld in deze dagen.", "Nothing entered in these days yet."],
  client_check_title: ["Hoe ligt {name} erbij?", "How is {name}?"],
  kind_readonly: [
    "Dit formulier is nieuwer dan de app. Je kunt het hier nog niet invullen.",
    "This form is newer than the app. You cannot fill it in here yet.",
  ],
  kind_readonly_todo: [
    "Sluit de app en open hem opnieuw als er internet is. Wat er al staat, blijft bewaard.",
    "Close the app and open it again when there is internet. What is there already stays there.",
  ],

  // -- while nothing is shown of what was recorded
  entry_only_more: [
    "Wat eerder is ingevuld, zie je weer als de tablet verbinding heeft gehad.",
    "What was entered before is shown again once the tablet has had a connection.",
  ],
  entry_only_rounds: [
    "Verkeerd getikt? Tik op Herstel. De rest zie je weer als de tablet verbinding heeft gehad.",
    "Wrong tap? Tap Undo. The rest is shown again once the tablet has had a connection.",
  ],

  // -- form
  form_given: ["Vast ingevuld", "Filled in for you"],
  form_given_help: ["Klopt dit niet? Tik op Wijzigen.", "Not right? Tap Change."],
  form_copy_night: ["Neem vorige nacht over", "Copy the night before"],
  form_copy: ["Neem vorige keer over", "Copy the last time"],
  form_copy_help: [
    "Alleen de gewone tijden. Hoe het ging, vul je zelf in.",
    "The usual times only. How it went is yours to fill in.",
  ],
  form_copied: ["overgenomen, klopt dit?", "copied, is it right?"],
  form_copied_done: ["De gewone tijden staan er. Kijk ze na.", "The usual times are in. Check them."],
  form_copied_ok: ["Klopt", "It is right"],
  form_more: ["Meer vragen", "More questions"],
  form_more_help: ["Deze mogen open blijven.", "These may stay open."],
  form_optional: ["mag open blijven", "may stay open"],
  form_clear: ["Wis", "Clear"],
  form_clear_label: ["Wis antwoord bij {field}", "Clear the answer to {field}"],
  form_save: ["Opslaan", "Save"],
  form_saving: ["Opslaan …", "Saving …"],
  form_saved: ["Opgeslagen op deze tablet.", "Saved on this tablet."],
  form_open_one: ["Nog 1 vraag open", "1 question still open"],
  form_open_more: ["Nog {n} vragen open", "{n} questions still open"],
  form_complete: ["Alles is ingevuld", "Everything is filled in"],
  form_fix: ["Dit moet anders voordat je kunt opslaan:", "This must change before you can save:"],
  form_empty: ["Vul eerst iets in.", "Fill in something first."],
  form_no_change: ["Je hebt niets veranderd.", "You changed nothing."],
  form_draft: [
    "Je was hier gebleven. Je antwoorden staan er nog.",
    "You were here. Your answers are still there.",
  ],
  form_drafts: [
    "Je bent hier vaker aan begonnen. Kies waar je verder gaat. De rest blijft bewaard.",
    "You began this more than once. Choose where to go on. The rest is kept.",
  ],
  form_drafts_choose: ["Waar ga je verder?", "Where do you go on?"],
  form_begun: ["Begonnen: {time}", "Begun: {time}"],
  form_discard: ["Gooi dit weg", "Discard this"],
  form_discarded: ["Weggegooid.", "Discarded."],
  form_edit_title: ["{kind} aanpassen", "Change {kind}"],
  form_honest: ["Geen antwoord?", "No answer?"],
  form_time: ["Tijd", "Time"],
  form_day: ["Dag", "Day"],
  form_other_day: ["Andere dag", "Other day"],
  form_other_time: ["anders", "other"],
  form_now: ["Nu", "Now"],
  form_ago: ["{n} min geleden", "{n} min ago"],
  form_ago_hour: ["1 uur geleden", "1 hour ago"],
  form_next_day: ["volgende ochtend", "next morning"],
  form_number: ["Ander getal", "Other number"],
  form_less: ["Eén minder", "One less"],
  form_more_one: ["Eén meer", "One more"],
  form_bytes_left: ["Nog plaats voor {n} tekens", "Room for {n} more characters"],
  form_bytes_over: ["{n} tekens te lang", "{n} characters too long"],
  form_choose: ["Kies", "Choose"],
  form_no_choice: [
    "Er is niets om uit te kiezen op deze tablet.",
    "There is nothing to choose from on this tablet.",
  ],

  draft_title: ["Nog niet opgeslagen", "Not saved yet"],
  draft_times: ["{n} keer begonnen", "begun {n} times"],

  // -- record
  record_new_by: ["Ingevuld door {name}, {time}", "Entered by {name}, {time}"],
  record_edit: ["Aanpassen", "Change"],
  record_retract: ["Per ongeluk ingevoerd", "Entered in error"],
  record_retract_lead: [
    "De invoer blijft bewaard, maar telt niet meer mee. Je kunt dit terugdraaien.",
    "The entry is kept but no longer counts. You can undo this.",
  ],
  record_reason: ["Waarom?", "Why?"],
  record_reason_own: ["Andere reden", "Another reason"],
  record_reason_client: ["Verkeerde cliënt", "Wrong client"],
  record_reason_double: ["Dubbel ingevoerd", "Entered twice"],
  record_reason_day: ["Verkeerde dag", "Wrong day"],
  record_retract_go: ["Telt niet mee", "Does not count"],
  record_retracted: ["Per ongeluk ingevoerd: {reason}", "Entered in error: {reason}"],
  record_retracted_done: ["Deze invoer telt niet meer mee.", "This entry no longer counts."],
  record_undo: ["Draai terug", "Undo"],
  record_undone: ["Deze invoer telt weer mee.", "This entry counts again."],
  record_lacking: ["Nog open: {fields}", "Still open: {fields}"],
  record_lacking_short: ["nog niet compleet", "incomplete"],
  place_tablet: ["op deze tablet", "on this tablet"],
  place_server: ["verstuurd", "sent"],
  place_safe: ["veilig", "safe"],
  badge_conflict: ["twee antwoorden", "two answers"],
  badge_double: ["misschien dubbel", "possibly double"],
  badge_held: ["telt nog niet mee", "does not count yet"],
  badge_retracted: ["vervallen", "withdrawn"],

  // -- attention, conflicts, doubles, held
  attention_title: ["Hier moet iemand naar kijken", "Somebody must look at this"],
  attention_none: ["Niets. Alles is in orde.", "Nothing. All is well."],
  settle: ["Kies wat klopt", "Choose what is right"],
  settle_lead: [
    "Twee collega’s vulden dit in zonder het van elkaar te weten. Tik op wat klopt.",
    "Two colleagues filled this in without knowing of each other. Tap what is right.",
  ],
  settle_this: ["Dit klopt", "This is right"],
  settle_other: ["Iets anders", "Something else"],
  settle_done: ["Gekozen: {value}", "Chosen: {value}"],
  settle_all_done: ["Alles is gekozen.", "All is settled."],
  settle_retraction: ["Telt deze invoer mee?", "Does this entry count?"],
  settle_retraction_lead: [
    "Iemand zei: per ongeluk ingevoerd. Iemand anders paste de invoer aan.",
    "Somebody said: entered in error. Somebody else changed the entry.",
  ],
  settle_keep: ["Telt wel mee", "Counts"],
  settle_drop: ["Telt niet mee", "Does not count"],
  settle_nobody: ["zonder naam", "no name"],
  double_title: ["Misschien dubbel", "Possibly double"],
  double_lead: [
    "Er staan {n} invoeren voor hetzelfde. Is er een te veel?",
    "There are {n} entries for the same. Is one too many?",
  ],
  double_drop: ["Deze is dubbel", "This one is double"],
  double_keep: ["Allebei bewaren", "Keep both"],
  double_entry: ["Invoer {n}", "Entry {n}"],
  double_same: ["Gelijk", "The same"],
  held_title: ["Telt nog niet mee", "Does not count yet"],
  held_said: ["Er stond:", "It said:"],
  held_fix: ["Verbeter dit", "Correct this"],

  // -- night rounds
  rounds_title: ["Nachtronde", "Night round"],
  rounds_lead: [
    "Tik per cliënt wat je ziet. De tijd komt er vanzelf bij.",
    "Tap what you see. The time is added.",
  ],
  rounds_last: ["{time} {state}", "{time} {state}"],
  rounds_none: ["Nog niet gekeken vannacht", "Not checked yet tonight"],
  rounds_saved: ["{name}: {state}", "{name}: {state}"],
  rounds_undo: ["Herstel: {name}, {time} {state}", "Undo: {name}, {time} {state}"],
  rounds_undone: ["De ronde van {name} telt niet mee.", "The round of {name} does not count."],
  rounds_wrong_tap: ["Verkeerd getikt", "Wrong tap"],
  rounds_no_kind: [
    "Deze tablet heeft het formulier voor de nachtronde nog niet.",
    "This tablet does not have the night round's form yet.",
  ],

  // -- hand-over
  handover_title: ["Overdracht van {team}", "Hand-over of {team}"],
  handover_period: ["De laatste 24 uur, tot {time}", "The last 24 hours, until {time}"],
  handover_none: ["In de laatste 24 uur is niets ingevuld.", "Nothing was entered in the last 24 hours."],
  handover_nothing: ["Niets ingevuld", "Nothing entered"],
  handover_print: ["Afdrukken", "Print"],
  handover_private: [
    "Dit blad gaat over cliënten. Laat het niet liggen.",
    "This sheet is about clients. Do not leave it lying about.",
  ],
  handover_rounds: ["{n} rondes", "{n} rounds"],
  handover_made: ["Gemaakt door {name}, {time}", "Made by {name}, {time}"],
  handover_unsent_one: [
    "Let op: 1 invoer van deze tablet is nog niet verstuurd.",
    "Note: 1 entry of this tablet is not sent yet.",
  ],
  handover_unsent_more: [
    "Let op: {n} invoeren van deze tablet zijn nog niet verstuurd.",
    "Note: {n} entries of this tablet are not sent yet.",
  ],

  // -- footer, sending
  send_unsent_one: ["1 nog te versturen", "1 still to send"],
  send_unsent_more: ["{n} nog te versturen", "{n} still to send"],
  send_looks_one: ["Alle invoer is verstuurd, 1 inzage nog niet", "All entries were sent, 1 view not yet"],
  send_looks_more: [
    "Alle invoer is verstuurd, {n} inzagen nog niet",
    "All entries were sent, {n} views not yet",
  ],
  send_all: ["Alles is verstuurd om {time}", "Everything was sent at {time}"],
  send_entries: ["Alle invoer is verstuurd om {time}", "All entries were sent at {time}"],
  send_none: ["Nog nooit verstuurd", "Never sent yet"],
  send_busy: ["Versturen …", "Sending …"],
  send_busy_part: ["Versturen … {n}%", "Sending … {n}%"],
  send_offline: ["geen internet", "no internet"],
  send_retry: ["opnieuw om {time}", "again at {time}"],
  send_safe: ["en veilig", "and safe"],
  send_look: ["{n} om naar te kijken", "{n} to look at"],
  send_open: ["Meer over versturen", "More about sending"],
  send_title: ["Versturen", "Sending"],
  send_now: ["Nu versturen", "Send now"],
  send_state_tablet: ["Op deze tablet", "On this tablet"],
  send_state_tablet_help: ["Opgeslagen, nog niet verstuurd.", "Saved, not sent yet."],
  send_state_looks: ["Inzagen", "Views"],
  send_state_looks_help: [
    "Wie welke cliënt bekeek. Dat gaat vanzelf mee.",
    "Who looked at which client. Sent by itself.",
  ],
  send_state_server: ["Op de server, nog zonder kopie", "On the server, not yet copied"],
  send_state_server_help: ["Verstuurd. Er is nog geen reservekopie.", "Sent. There is no backup of it yet."],
  send_state_safe: ["Veilig", "Safe"],
  send_state_safe_help: ["Verstuurd, en er is een reservekopie.", "Sent, and there is a backup."],
  send_last: ["Laatst bijgewerkt: {time}", "Last up to date: {time}"],
  send_never: ["Deze tablet is nog nooit bijgewerkt.", "This tablet was never up to date yet."],
  send_nothing_wrong: [
    "Er is niets mis. Je kunt gewoon doorwerken.",
    "Nothing is wrong. You can go on working.",
  ],
  send_end: ["Einde dienst", "End of shift"],
  send_end_help: ["Verstuurt alles en vergrendelt de tablet.", "Sends everything and locks the tablet."],
  send_old: [
    "Al {n} dagen niet verstuurd. Wat je invult blijft op deze tablet staan. Zoek wifi, of bel de beheerder.",
    "Not sent for {n} days. What you enter stays on this tablet. Find wifi, or call the administrator.",
  ],
  send_export: ["Bewaar als bestand", "Save as a file"],
  send_export_help: [
    "Laatste redmiddel, als versturen niet meer lukt. Het bestand is leesbaar voor iedereen die het heeft. Geef het alleen aan de beheerder.",
    "Last resort, when sending no longer works. Whoever has the file can read it. Give it to the administrator only.",
  ],
  send_export_done: ["Bestand met {n} invoeren bewaard.", "File with {n} entries saved."],
  send_again_title: ["Is de server teruggezet?", "Was the server restored?"],
  send_again: ["Alles opnieuw aanbieden", "Offer everything again"],
  send_again_help: [
    "Na een herstel uit een reservekopie stuurt de tablet vanzelf wat de server mist. Mist er toch invoer van deze tablet? Dan biedt de tablet alles opnieuw aan. Dat is veilig: de server bewaart niets dubbel, en op de tablet verandert niets.",
    "After a restore from a backup the tablet sends by itself what the server lacks. Are entries of this tablet lacking all the same? Then the tablet offers everything once more. That is safe: the server keeps nothing twice, and nothing changes on the tablet.",
  ],
  send_again_done: ["Alles gaat opnieuw mee.", "Everything is sent once more."],
  send_lease: [
    "Nog {n} dagen zonder versturen. Daarna toont de tablet niets meer tot hij verbinding heeft.",
    "{n} more days without sending. After that the tablet shows nothing until it has a connection.",
  ],
  send_clock: [
    "De klok van deze tablet loopt {n} minuten verkeerd. De app rekent met de goede tijd. Zet de klok goed.",
    "This tablet's clock is {n} minutes off. The app uses the right time. Please set the clock.",
  ],
  send_persist: [
    "De browser kan deze gegevens weggooien als de tablet vol raakt. Zet de app op het beginscherm.",
    "The browser may discard this data when the tablet is full. Add the app to the home screen.",
  ],
  send_update_needed: [
    "De server wil een nieuwere app. Wat je invult blijft bewaard en gaat mee na het bijwerken.",
    "The server wants a newer app. What you enter is kept and is sent after the update.",
  ],

  // -- states of the tablet
  lost_title: ["De tablet is zijn gegevens kwijt", "The tablet has lost its data"],
  lost_todo: [
    "Vraag de beheerder om een nieuwe code. Alles wat verstuurd was, komt terug.",
    "Ask the administrator for a new code. All that was sent will come back.",
  ],
  lease_title: ["Deze tablet was te lang niet online", "This tablet was offline for too long"],
  closed_title: ["Deze tablet is op slot", "This tablet is locked"],
  revoked_title: ["Deze tablet is geblokkeerd", "This tablet was blocked"],
  newer_title: ["De app staat al open", "The app is open elsewhere"],
  reload: ["Laad opnieuw", "Load again"],
  no_store_title: ["De app kan niets bewaren", "The app cannot store anything"],
  no_store_todo: [
    "Sluit privé-vensters, maak ruimte vrij op de tablet en open de app opnieuw.",
    "Close private windows, free some space on the tablet and open the app again.",
  ],
  update_ready: ["Er is een nieuwe versie van de app.", "There is a new version of the app."],
  update_now: ["Nu bijwerken", "Update now"],

  // -- settings
  other_language: ["English", "Nederlands"],
  settings_language: ["Taal", "Language"],
  settings_theme: ["Licht of donker", "Light or dark"],
  theme_system: ["Zoals de tablet", "Like the tablet"],
  theme_light: ["Licht", "Light"],
  theme_dark: ["Donker", "Dark"],
  settings_idle: ["Vergrendelen na", "Lock after"],
  settings_idle_min: ["{n} min", "{n} min"],
  settings_pins: ["Pincodes", "PINs"],
  settings_pins_help: [
    "Is een collega de pincode vergeten? Wis hem. Je collega kiest een nieuwe.",
    "Has a colleague forgotten the PIN? Clear it. Your colleague chooses a new one.",
  ],
  settings_pin_clear: ["Wis pincode", "Clear PIN"],
  settings_pin_clear_label: ["Wis pincode van {name}", "Clear PIN of {name}"],
  settings_pin_cleared: ["De pincode van {name} is gewist.", "The PIN of {name} is cleared."],
  settings_pin_none: ["Geen andere collega heeft hier een pincode.", "No other colleague has a PIN here."],
  settings_tablet: ["Deze tablet", "This tablet"],
  settings_organisation: ["Organisatie", "Organisation"],
  settings_name: ["Naam", "Name"],
  settings_version: ["Versie", "Version"],
  settings_offline: ["Werkt zonder internet", "Works without internet"],
  settings_persistent: ["Opslag vastgezet", "Storage kept"],
} as const satisfies Record<string, readonly [nl: string, en: string]>;

export type TextKey = keyof typeof TEXTS;
export type Fill = Readonly<Record<string, string | number>>;

/** The text in a language, its {names} filled in. */
export function text(lang: Lang, key: TextKey, fill: Fill = {}): string {
  const raw: string = TEXTS[key][lang === "nl" ? 0 : 1];
  return raw.replace(/\{(\w+)\}/g, (whole, name: string) => (name in fill ? String(fill[name]) : whole));
}

/** Singular or plural: keys that end in _one and _more. */
export function counted(lang: Lang, one: TextKey, more: TextKey, n: number): string {
  return n === 1 ? text(lang, one) : text(lang, more, { n });
}

export const TEXT_KEYS = Object.keys(TEXTS) as TextKey[];
