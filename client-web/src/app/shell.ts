// The app shell: the service worker that keeps it for use without a network, and the way from one
// version to the next. A new version waits until the screens say that it is a safe moment; then the page
// loads again.
import type { UpdateStatus } from "./api.ts";

export interface Shell {
  status(): UpdateStatus;
  onChange(listener: () => void): void;
  /** Looks for a new version now, beside the looks that it takes by itself. */
  check(): void;
  apply(): void;
  /** The enrolment code in the address, taken out of it so that no history keeps it. */
  takeCode(): string | null;
}
export const NO_SHELL: Shell = {
  status: () => ({ ready: false, offlineReady: false }),
  onChange: () => undefined,
  check: () => undefined,
  apply: () => undefined,
  takeCode: () => null,
};

const CHECK_MS = 60 * 60_000;

/** What a page may run as a worker: the one script of this app (Trusted Types). */
function scriptUrl(path: string): string {
  const types = (
    globalThis as {
      trustedTypes?: { createPolicy(n: string, p: object): { createScriptURL(s: string): string } };
    }
  ).trustedTypes;
  if (!types) return path;
  return types.createPolicy("overdracht", { createScriptURL: () => path }).createScriptURL(path);
}

export function browserShell(): Shell {
  const listeners = new Set<() => void>();
  let status: UpdateStatus = { ready: false, offlineReady: false };
  let registration: ServiceWorkerRegistration | undefined;
  let reloading = false;
  const note = (change: Partial<UpdateStatus>) => {
    status = { ...status, ...change };
    for (const l of listeners) l();
  };
  const look = () => {
    if (registration?.active) note({ offlineReady: true });
    if (registration?.waiting && registration.active) note({ ready: true });
  };
  const follow = (worker: ServiceWorker | null) => worker?.addEventListener("statechange", look);
  const check = () => void registration?.update().catch(() => undefined);
  const register = async () => {
    registration = await navigator.serviceWorker.register(scriptUrl("/sw.js"), { updateViaCache: "none" });
    for (const w of [registration.installing, registration.waiting]) follow(w);
    registration.addEventListener("updatefound", () => follow(registration!.installing));
    look();
    setInterval(check, CHECK_MS);
  };
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (reloading) location.reload();
    });
    register().catch(() => undefined); // without it the app works as long as there is a network
  }
  return {
    status: () => status,
    onChange: (l) => void listeners.add(l),
    check,
    apply() {
      reloading = true;
      if (registration?.waiting) registration.waiting.postMessage("activate");
      else location.reload();
    },
    takeCode() {
      const code = /^#code=([0-9A-Za-z-]{1,32})$/.exec(location.hash)?.[1] ?? null;
      if (code) history.replaceState(null, "", location.pathname + location.search);
      return code;
    },
  };
}
