// Around every screen: who works here, the way back, and below always where the entries are.
import { useEffect, useRef } from "preact/hooks";
import type { SyncStatus } from "../app/api.ts";
import { time, when } from "./format.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Avatar, classes } from "./parts.tsx";
import { href, isWorking, lock, type Saying, type Ui, useUi, type WithChildren } from "./ui.tsx";
import { counted } from "./texts.ts";

export function Header() {
  const ui = useUi();
  const { app, t, path, team } = ui;
  const inside = path.length > 0 && isWorking(app) && (app.person !== null || path[0] === "send");
  return (
    <header class="header">
      {inside ? (
        <button
          type="button"
          class="header-button"
          onClick={() => (history.length > 1 ? history.back() : (location.hash = href()))}
        >
          <Icon name="back" />
          <span>{t("back")}</span>
        </button>
      ) : (
        <span class="brand">{team && isWorking(app) ? team.name : t("app")}</span>
      )}
      <span class="spacer" />
      {!app.person && <Language />}
      {app.person && (
        <>
          <span class="who" title={app.person.name}>
            <Avatar name={app.person.name} />
            <span class="who-name">{app.person.name}</span>
          </span>
          <button
            type="button"
            class="header-button"
            aria-label={t("switch_person_label")}
            onClick={() => lock(ui)}
          >
            <Icon name="swap" />
            <span>{t("switch_person")}</span>
          </button>
        </>
      )}
    </header>
  );
}

/** Who is not signed in has no settings yet, but a language. */
function Language() {
  const { app, t, lang } = useUi();
  const other = lang === "nl" ? "en" : "nl";
  return (
    <button type="button" class="header-button" lang={other} onClick={() => void app.set({ lang: other })}>
      <span>{t("other_language")}</span>
    </button>
  );
}

interface FooterWords {
  icon: IconName;
  mood: "ok" | "wait" | "busy" | "trouble";
  main: string;
  more: string;
}
/** 'Alles is verstuurd' is said only when the engine has the signed answer (allSentAt) and nothing waits. Who
 *  only looked has no entries to send: that is said apart, and looks that are noted for later ask nothing of
 *  anybody: then it says of what all was sent. */
export function footerWords(ui: Ui, sync: SyncStatus): FooterWords {
  const { app, t, l, lang } = ui;
  const busy = sync.state === "connecting" || sync.state === "syncing";
  const entries = sync.unsent - sync.looks;
  const looks = sync.looks + sync.noted;
  const unsent =
    entries > 0 || sync.allSentAt === null
      ? counted(lang, "send_unsent_one", "send_unsent_more", entries || looks)
      : counted(lang, "send_looks_one", "send_looks_more", looks);
  const last =
    sync.unsent > 0
      ? unsent
      : sync.allSentAt === null
        ? t("send_none")
        : t(sync.noted ? "send_entries" : "send_all", { time: when(app, sync.allSentAt) });
  if (busy) return { icon: "cloud", mood: "busy", main: sync.unsent ? unsent : last, more: t("send_busy") };
  if (sync.error && sync.online)
    return { icon: "warning", mood: "trouble", main: last, more: l(sync.error.text) };
  if (!sync.online) return { icon: "offline", mood: "wait", main: last, more: t("send_offline") };
  if (sync.unsent > 0) {
    const more = sync.nextTry === null ? "" : t("send_retry", { time: time(app, sync.nextTry) });
    return { icon: "cloud", mood: "wait", main: last, more };
  }
  if (sync.allSentAt === null) return { icon: "cloud", mood: "wait", main: last, more: "" };
  return {
    icon: sync.unsafe ? "sent" : "shield",
    mood: "ok",
    main: last,
    more: sync.unsafe ? "" : t("send_safe"),
  };
}

export function Footer() {
  const ui = useUi();
  const { app, t, path } = ui;
  const sync = app.sync;
  const { state } = app.device;
  const box = useRef<HTMLElement>(null);
  useHeight(box);
  if (state === "new" || state === "store_lost") return null;
  // what the screen itself offers is not offered twice
  const look = sync.attention > 0 && app.person && path[0] !== undefined && path[0] !== "attention";
  const send = (sync.unsent > 0 || sync.error) && state === "ready" && path[0] !== "send";
  const words = footerWords(ui, sync);
  return (
    <footer class={`footer mood-${words.mood}`} ref={box}>
      {sync.progress !== null && (
        <progress class="progress" value={sync.progress} max={1} aria-label={t("send_busy")} />
      )}
      <div class="footer-in">
        <a class="footer-words" href={href("send")}>
          <Icon name={words.icon} />
          <span>
            <span role="status" class="footer-main">
              {words.main}
              {words.more && <span class="footer-more">{words.more}</span>}
            </span>
            <span class="visually-hidden"> {t("send_open")}</span>
          </span>
        </a>
        {look && (
          <a
            class="footer-button"
            href={href("attention")}
            aria-label={t("send_look", { n: sync.attention })}
          >
            <Icon name="warning" />
            <span class="short">{sync.attention}</span>
            <span class="long">{t("send_look", { n: sync.attention })}</span>
          </a>
        )}
        {send && (
          <button
            type="button"
            class="footer-button"
            aria-label={t("send_now")}
            onClick={() => void app.syncNow()}
          >
            <Icon name="send" />
            <span class="long">{t("send_now")}</span>
          </button>
        )}
      </div>
    </footer>
  );
}

/** What sticks above the footer knows how high it is, also with large text. */
function useHeight(box: { current: HTMLElement | null }): void {
  useEffect(() => {
    const footer = box.current;
    if (!footer) return undefined;
    const put = () => document.documentElement.style.setProperty("--footer", `${footer.offsetHeight}px`);
    const watch = new ResizeObserver(put);
    watch.observe(footer);
    put();
    return () => watch.disconnect();
  }, [box.current]);
}

/** The latest message; it goes by itself. */
export function Toast({ saying, done }: { saying: Saying | null; done: () => void }) {
  const latest = useRef(done);
  latest.current = done;
  useEffect(() => {
    if (!saying) return undefined;
    const timer = setTimeout(() => latest.current(), saying.action ? 12000 : 5000);
    return () => clearTimeout(timer);
  }, [saying]);
  return (
    <div class={classes("toast-place", saying && "on")} role="status">
      {saying && (
        <div class="toast">
          <Icon name="check" />
          <span class="toast-text">{saying.text}</span>
          {saying.action && (
            <button
              type="button"
              class="toast-button"
              onClick={() => {
                saying.action!.run();
                done();
              }}
            >
              {saying.action.label}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

export function Shell({
  saying,
  said,
  children,
}: { saying: Saying | null; said: () => void } & WithChildren) {
  const { t } = useUi();
  const main = useRef<HTMLElement>(null);
  return (
    <div class="page">
      <a
        href="#content"
        class="utrecht-skip-link utrecht-skip-link--visible-on-focus"
        onClick={(e) => {
          e.preventDefault();
          main.current?.focus();
        }}
      >
        {t("skip")}
      </a>
      <Header />
      <main id="content" class="main" tabIndex={-1} ref={main}>
        {children}
      </main>
      <Toast saying={saying} done={said} />
      <Footer />
    </div>
  );
}
