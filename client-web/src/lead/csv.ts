// A table as a file: UTF-8, one header, decimal points. A text that a spreadsheet would take for a formula
// begins with an apostrophe.
import { offer } from "../desk/frames.tsx";

export type Cell = string | number | null;

function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export const csvText = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((r) => r.map(cell).join(",") + "\r\n").join("");

export const download = (name: string, text: string): void =>
  offer(name, new Blob([text], { type: "text/csv;charset=utf-8" }));
