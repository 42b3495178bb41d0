import type { LaunchOptions } from "playwright-core";
export const CHROMIUM: LaunchOptions;
export function stand(): Promise<{ url: string; close: () => void }>;
