// A table as a file: UTF-8, one header, decimal points. A text that a spreadsheet would take for a formula
// begins with an apostrophe.
export type Cell = string | number | null;

function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export const csvText = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((r) => r.map(cell).join(",") + "\r\n").join("");

/** Offers a file to the person, who chooses where it goes. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
