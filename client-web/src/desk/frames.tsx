// What every page of the desk does alike: a frame that a wide table scrolls in, and offering a file.
import type { ComponentChildren } from "preact";

/** Scrolls with the keyboard too; label: what the table is. */
export function TableFrame({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}

/** Offers a file to the person, who chooses where it goes. */
export function offer(name: string, body: Blob): void {
  const url = URL.createObjectURL(body);
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
