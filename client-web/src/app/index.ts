// What the screens import.
import type { OpenApp } from "./api.ts";
import { Engine } from "./app.ts";
import { browserEnv } from "./env.ts";
import { browserShell } from "./shell.ts";

export * from "./api.ts";

declare const APP_VERSION: string;

export const openApp: OpenApp = () =>
  new Engine({ env: browserEnv(), shell: browserShell(), version: APP_VERSION }).open();
