// The page for those who work at a desk: project leads, experts, administrators, researchers. It is apart
// from the carer's app, which loads nothing of it; each section is fetched when it is opened.
import { type ComponentType, render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Lang } from "../app/api.ts";
import { Alert } from "../ui/parts.tsx";
import { DeskContext, frameText, problemText, useDesk, useModule } from "./desk.tsx";
import { type Me, type Role, Session } from "./session.ts";
import { SignIn } from "./sign_in.tsx";
import "./desk.css";

interface SectionPart {
  default: ComponentType;
}
interface Section {
  /** first part of the address, and key of the name */
  name: "own" | "network" | "write" | "research" | "account";
  /** null: everybody, and reached by one's own name instead of the menu */
  roles: readonly Role[] | null;
  load: () => Promise<SectionPart>;
  /** further first parts that it shows */
  also?: readonly string[];
}
const SECTIONS: readonly Section[] = [
  {
    name: "own",
    roles: ["project_lead", "org_admin"],
    load: () => import("../lead/own.tsx"),
    also: ["settle", "double", "record", "edit", "client", "new"],
  },
  {
    name: "network",
    roles: ["project_lead", "expert", "researcher", "programme_admin"],
    load: () => import("../lead/network.tsx"),
  },
  {
    name: "write",
    roles: ["project_lead", "expert"],
    load: () => import("../lead/write.tsx"),
    also: ["change"],
  },
  {
    name: "research",
    roles: ["project_lead", "expert", "researcher", "programme_admin"],
    load: () => import("../research/research.tsx"),
  },
  { name: "account", roles: null, load: () => import("./account.tsx") },
];

function startLang(): Lang {
  try {
    const kept = localStorage.getItem("overdracht-desk-lang");
    if (kept === "nl" || kept === "en") return kept;
  } catch {
    // the browser keeps nothing: Dutch
  }
  return "nl";
}

function Root({ session }: { session: Session }) {
  const [me, setMe] = useState<Me | null>(session.me);
  const [lang, setLang] = useState<Lang>(startLang);
  const [ended, setEnded] = useState(session.ended);
  const [left, setLeft] = useState<number | null>(null);
  const [leaving, setLeaving] = useState(false);
  const path = usePath();
  useEffect(() => {
    void session.look();
    return session.onChange(() => {
      setEnded(session.ended);
      setMe(session.me);
    });
  }, [session]);
  useEffect(() => {
    document.documentElement.lang = lang;
    document.title = frameText(lang, "app");
  }, [lang]);
  useSystemTheme();
  const desk = useMemo(
    () => me && { session, me, lang, path, l: (of: { nl: string; en: string }) => of[lang] },
    [session, me, lang, path],
  );
  const choose = (next: Lang) => {
    setLang(next);
    try {
      localStorage.setItem("overdracht-desk-lang", next);
    } catch {
      // until the page is left, then
    }
  };
  // only once no section is shown any more: it would read what is being cleared away
  useEffect(() => {
    if (!leaving) return;
    void session.signOut().then(() => {
      location.hash = "";
      setLeaving(false);
    });
  }, [leaving]);
  return (
    <div class="page desk">
      <SkipLink lang={lang} />
      <Header lang={lang} choose={choose} me={me} path={path} signOut={() => setLeaving(true)} />
      <main id="content" class="main desk-main" tabIndex={-1}>
        {left !== null && me && (
          <Alert type="warning" live>
            <p>{frameText(lang, "in_recovery", { n: left })}</p>
          </Alert>
        )}
        {leaving ? (
          <p class="loading" role="status">
            {frameText(lang, "leaving")}
          </p>
        ) : desk ? (
          <DeskContext.Provider value={desk}>
            <Opened />
          </DeskContext.Provider>
        ) : (
          <SignIn session={session} lang={lang} ended={ended} recoveryUsed={setLeft} />
        )}
      </main>
    </div>
  );
}

const menuOf = (me: Me): readonly Section[] => SECTIONS.filter((s) => s.roles?.includes(me.role));
const sectionAt = (me: Me, first: string | undefined): Section | undefined => {
  const mine = SECTIONS.filter((s) => !s.roles || s.roles.includes(me.role));
  return (
    mine.find((s) => s.name === first || (first !== undefined && s.also?.includes(first))) ?? menuOf(me)[0]
  );
};

function Opened() {
  const { me, path, lang } = useDesk();
  const section = sectionAt(me, path[0]);
  return section ? <Part key={section.name} section={section} /> : <p>{frameText(lang, "nothing")}</p>;
}

function Part({ section }: { section: Section }) {
  const { lang, l } = useDesk();
  const part = useModule(section.load);
  if (part.error)
    return (
      <Alert type="error" live>
        <p>{l(problemText(part.error))}</p>
        <button type="button" class="text-button" onClick={part.again}>
          {frameText(lang, "again")}
        </button>
      </Alert>
    );
  if (!part.value)
    return (
      <p class="loading" role="status">
        {frameText(lang, "loading")}
      </p>
    );
  const Shown = part.value.default;
  return <Shown />;
}

interface HeaderProps {
  lang: Lang;
  choose: (lang: Lang) => void;
  me: Me | null;
  path: readonly string[];
  signOut: () => void;
}
function Header({ lang, choose, me, path, signOut }: HeaderProps) {
  const here = me && sectionAt(me, path[0]);
  return (
    <header class="header desk-header">
      <span class="brand">{frameText(lang, "app")}</span>
      {me && (
        <nav class="desk-nav" aria-label={frameText(lang, "menu")}>
          {menuOf(me).map((s) => (
            <a key={s.name} href={`#/${s.name}`} aria-current={s === here ? "page" : undefined}>
              {frameText(lang, s.name)}
            </a>
          ))}
        </nav>
      )}
      <span class="spacer" />
      {me && (
        <a class="desk-who" href="#/account" aria-current={here?.name === "account" ? "page" : undefined}>
          {me.name}
          <span class="sub">{me.organisation.name}</span>
        </a>
      )}
      <button
        type="button"
        class="header-button"
        lang={lang === "nl" ? "en" : "nl"}
        onClick={() => choose(lang === "nl" ? "en" : "nl")}
      >
        {frameText(lang, "language")}
      </button>
      {me && (
        <button type="button" class="header-button" onClick={signOut}>
          {frameText(lang, "sign_out")}
        </button>
      )}
    </header>
  );
}

function SkipLink({ lang }: { lang: Lang }) {
  return (
    <a
      href="#content"
      class="utrecht-skip-link utrecht-skip-link--visible-on-focus"
      onClick={(e) => {
        e.preventDefault();
        document.getElementById("content")?.focus();
      }}
    >
      {frameText(lang, "skip")}
    </a>
  );
}

function readPath(): string[] {
  try {
    return location.hash
      .replace(/^#\/?/, "")
      .split("/")
      .map(decodeURIComponent)
      .filter((p) => p !== "");
  } catch {
    return [];
  }
}
function usePath(): readonly string[] {
  const [path, setPath] = useState<readonly string[]>(readPath);
  useEffect(() => {
    const changed = () => {
      setPath(readPath());
      scrollTo(0, 0);
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return path;
}

function useSystemTheme(): void {
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const put = () => (document.documentElement.dataset.theme = system.matches ? "dark" : "light");
    put();
    system.addEventListener("change", put);
    return () => system.removeEventListener("change", put);
  }, []);
}

render(<Root session={new Session()} />, document.getElementById("app")!);
