// A page with the engine alone, for tests in a browser: they ask it what screens would.
import { openApp } from "../../src/app/index.ts";

declare global {
  interface Window {
    app: ReturnType<typeof openApp>;
  }
}
window.app = openApp();
