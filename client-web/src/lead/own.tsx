// Our organisation, live: what somebody must settle, which nights are missing, tablets, technology, records.
import { useDesk, useTexts } from "../desk/desk.tsx";
import type { Texts } from "../desk/texts.ts";
import { Alert } from "../ui/parts.tsx";
import { Double, Settle } from "../ui/screens/attention.tsx";
import { Client } from "../ui/screens/client.tsx";
import { EditEntry, NewEntry } from "../ui/screens/forms.tsx";
import { Record } from "../ui/screens/record.tsx";
import { useUi } from "../ui/ui.tsx";
import { Inside } from "./inside.tsx";
import { Clients, Matters } from "./own_matters.tsx";
import { Nights, Technology } from "./own_measures.tsx";
import { Held, Tablets } from "./own_server.tsx";

const TEXTS = {
  title: ["Onze organisatie", "Our organisation"],
  menu: ["Wat u wilt zien", "What you want to see"],
  matters: ["Op te lossen", "To settle"],
  held: ["Vastgehouden", "Held"],
  nights: ["Nachten", "Nights"],
  tablets: ["Tablets", "Tablets"],
  technology: ["Technologie", "Technology"],
  clients: ["Cliënten", "Clients"],
  unseen: [
    "Uw organisatie heeft meer teams dan deze pagina toont. Teams die u hier niet ziet: ",
    "Your organisation has more teams than this page shows. Teams that you do not see here: ",
  ],
  unseenNext: ["De beheerder ziet ze alle.", "The administrator sees all of them."],
} as const satisfies Texts;
const PARTS = ["matters", "held", "nights", "tablets", "technology", "clients"] as const;
type Part = (typeof PARTS)[number];

export default function OwnSection() {
  return (
    <Inside>
      <Shown />
    </Inside>
  );
}

function Shown() {
  const { path, me } = useDesk();
  const { mayWrite } = useUi();
  const [what, first, second] = path;
  if (what === "settle" && mayWrite) return <Settle key={first} id={first ?? ""} />;
  if (what === "double" && mayWrite) return <Double key={first} id={first ?? ""} />;
  if (what === "record") return <Record key={first} id={first ?? ""} />;
  if (what === "client") return <Client key={first} id={first ?? ""} />;
  if (what === "new" && me.role === "project_lead")
    return <NewEntry kindName={first ?? ""} clientId={second ?? ""} />;
  if (what === "edit" && mayWrite)
    return <EditEntry id={first ?? ""} heldIndex={second === undefined ? null : Number(second)} />;
  return <Overview />;
}

function Overview() {
  const { path, me } = useDesk();
  const { app } = useUi();
  const t = useTexts(TEXTS);
  const part: Part = PARTS.find((p) => p === path[1]) ?? "matters";
  return (
    <>
      <h1 class="utrecht-heading-1">
        {t("title")}: {app.device.organisation}
      </h1>
      {!!me.teams_unseen && (
        <Alert type="warning">
          <p class="strong">
            {t("unseen")}
            {me.teams_unseen}.
          </p>
          <p>{t("unseenNext")}</p>
        </Alert>
      )}
      <nav class="desk-nav parts" aria-label={t("menu")}>
        {PARTS.map((p) => (
          <a key={p} href={`#/own/${p}`} aria-current={p === part ? "page" : undefined}>
            {t(p)}
          </a>
        ))}
      </nav>
      {part === "matters" && <Matters />}
      {part === "held" && <Held />}
      {part === "nights" && <Nights />}
      {part === "tablets" && <Tablets />}
      {part === "technology" && <Technology />}
      {part === "clients" && <Clients />}
    </>
  );
}
