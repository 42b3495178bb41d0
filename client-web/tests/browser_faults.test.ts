// What goes wrong around a carer's tablet, in a real browser with the whole app: each is said in words, and
// nothing is lost.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test, { after, before } from "node:test";
import { CLIENT, type Home, Tablet, closeHome, movableClock, openHome, skip } from "./ui/lib/carer.ts";

let home: Home;
let a: Tablet;

before(async () => {
  if (skip) return;
  home = await openHome();
  a = await Tablet.enrol(home, "Tablet 1", { first: movableClock });
});
after(() => closeHome(home));

test("wrong PINs wait longer each time, and closing the app shortens no wait", { skip }, async () => {
  await a.signIn("Salie");
  await a.button("Vergrendel en wissel van collega").click();
  await a.page.locator(".person", { hasText: "Salie" }).click();
  const waits: number[] = [];
  for (let i = 0; waits.length < 3; i++) {
    await a.page.locator(".pin:not(.off)").waitFor();
    for (const digit of "1111") await a.page.keyboard.press(digit);
    await a.page.keyboard.press("Enter");
    await a.page.getByText("De pincode klopt niet.").waitFor();
    const wait = a.page.getByText(/Wacht nog \d+ seconden/);
    if (i >= 2) await wait.waitFor();
    if (await wait.isVisible()) waits.push(Number(/\d+/.exec(await wait.innerText())![0]));
  }
  assert.ok(waits[1] > waits[0] && waits[2] > waits[1], `${waits}`);
  await a.page.reload();
  await a.page.locator(".person", { hasText: "Salie" }).click();
  await a.page.getByText(/Wacht nog \d+ seconden/).waitFor();
  await a.digits(); // the right one, too early: not looked at
  assert.equal(await a.page.locator(".who").count(), 0);
  await a.page.locator(".pin:not(.off)").waitFor();
  await a.digits();
  await a.page.locator(".who").waitFor();
  await a.sent();
});

test("100,000 characters are refused in words, stay in the form, and go once they are fewer", { skip }, async () => {
  await a.client();
  await a.page.locator(".kind", { hasText: "Sociaal contact" }).click();
  await a.page.locator("[data-field=mode]").getByText("bellen", { exact: true }).click();
  await a.page.locator("details.more > summary").click();
  const note = a.page.locator("[data-field=note] textarea");
  await note.fill("ë".repeat(100_000));
  await a.button("Opslaan").click();
  await a.page.getByText(/Deze tekst is te lang/).first().waitFor();
  await a.page.waitForTimeout(1000); // drafts are kept a moment after the last key
  await a.page.reload();
  await a.signIn("Salie");
  await a.go("");
  await a.page.getByText(`Sociaal contact · ${CLIENT}`).click();
  if (!(await note.isVisible())) await a.page.locator("details.more > summary").click();
  assert.equal((await note.inputValue()).length, 100_000);
  await note.fill("Belde kort.");
  await a.button("Opslaan").click();
  await a.said("Opgeslagen op deze tablet.");
  await a.sent();
});

test("a tablet that lies there locks itself; what was begun waits for who began it", { skip }, async () => {
  await a.client();
  await a.page.locator(".kind", { hasText: "Doel" }).click();
  await a.page.locator("[data-field=score]").getByText("doel bereikt").click();
  await a.page.evaluate(() => localStorage.setItem("test-ahead-ms", "180000")); // three minutes without a touch
  await a.page.getByText("Wie ben je?").waitFor();
  assert.equal(await a.page.locator("[data-field=score]").count(), 0);
  await a.page.evaluate(() => localStorage.setItem("test-ahead-ms", "0"));
  await a.signIn("Salie");
  await a.page.locator("[data-field=score] .chosen").waitFor();
  await a.button("Opslaan").click();
  await a.said("Opgeslagen op deze tablet.");
  await a.sent();
  await a.page.waitForTimeout(2000); // the jump cut the link; behind the next sync goes who looked here (PROTO-163)
  await a.sent();
});

test("the server is gone for a month: counted, warned of, hidden, still taken, and then everything goes", { skip }, async () => {
  await home.daemon.stop();
  await a.night("redelijk");
  await a.footer(/1 nog te versturen/);
  await a.footer(/De server is niet te bereiken/);

  await a.later(5);
  await a.signIn("Salie");
  await a.go("send");
  await a.page.getByText(/Al 5 dagen niet verstuurd\. Wat je invult blijft op deze tablet staan/).waitFor();
  await a.page.getByText("Laatste redmiddel").waitFor();

  await a.later(11);
  await a.signIn("Salie");
  await a.page.getByText(/Nog [23] dagen zonder versturen/).waitFor();
  await a.night("goed");
  await a.footer(/2 nog te versturen/);

  await a.later(31);
  await a.page.getByText(/Deze tablet had te lang geen verbinding\. .* Invullen kan wel/).waitFor();
  await a.footer(/2 nog te versturen/);
  await a.signIn("Salie");
  await a.night("zeer goed");
  await a.footer(/3 nog te versturen/);
  assert.equal(await a.page.locator(".row").count(), 0, "nothing of what was recorded is shown");
  await a.go("send");
  const download = a.page.waitForEvent("download");
  await a.button("Bewaar als bestand").click();
  const file = JSON.parse(readFileSync(await (await download).path(), "utf8"));
  assert.equal(file.invoer.length, 3);
  assert.equal(file.invoer[0].client, CLIENT);

  await a.later(0); // whoever sets the clock back opens nothing
  const hidden = a.page.locator("[data-notice=lease_over]");
  await hidden.waitFor();
  await home.daemon.start();
  await a.button("Nu versturen").click();
  await hidden.waitFor({ state: "detached" });
  await a.signIn("Salie");
  await a.sent();
  await a.client(); // the other night lies eleven days ahead for everybody else
  await a.page.locator(".row", { hasText: "redelijk" }).first().waitFor();
});

test("the browser throws everything away: said so, enrolled again, and what was sent is back", { skip }, async () => {
  const cdp = await a.context.newCDPSession(a.page);
  const origin = `http://127.0.0.1:${home.daemon.port}`;
  await a.page.goto("about:blank");
  await cdp.send("Storage.clearDataForOrigin", {
    origin,
    storageTypes: "indexeddb,local_storage,cache_storage,service_workers",
  });
  const { code } = home.daemon.admin("device", "add", "Tablet 1b", "--team", "Beuk");
  await a.page.goto(`${origin}/#code=${code}`);
  await a.page.getByText("De tablet is zijn gegevens kwijt").waitFor();
  await a.page.getByText(/Wat nog niet verstuurd was, is weg/).waitFor();
  await a.button("Aanmelden").click();
  await a.page.locator(".person").first().waitFor();
  await a.signIn("Salie");
  await a.client();
  await a.page.locator(".row", { hasText: "redelijk" }).first().waitFor();
  await a.night("slecht");
  await a.sent();
  assert.deepEqual(a.faults, []);
});
