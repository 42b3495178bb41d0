import type { Plugin } from "esbuild";

export function buildApp(of?: {
  entry?: string;
  version?: string;
  plugins?: Plugin[];
}): Promise<Map<string, Buffer>>;
export function writeApp(files: Map<string, Buffer>, out: string): void;
export function firstLoadBytes(files: Map<string, Buffer>): number;
