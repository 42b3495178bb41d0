// The app: the screens on the engine.
import { openApp } from "./app/index.ts";
import { start } from "./ui/start.tsx";

void start(document.getElementById("app")!, openApp);
