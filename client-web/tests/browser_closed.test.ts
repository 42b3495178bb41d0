// A carer at a tablet that shows nothing (closed at its start without a network, PROTO-164; over its lease,
// PROTO-162), in a real browser with the whole app: what happened is entered, kept and sent all the same.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { until } from "./lib/engine.ts";
import { axe } from "./ui/lib/axe.ts";
import { CLIENT, type Home, Tablet, WAIT_MS, closeHome, movableClock, openHome, skip } from "./ui/lib/carer.ts";

const BEFORE = "Wandelde gisteren naar de winkel.";
let home: Home;
let a: Tablet;
let b: Tablet;

before(async () => {
  if (skip) return;
  home = await openHome();
  a = await Tablet.enrol(home, "Tablet 1", { first: movableClock, bypassCSP: true });
  b = await Tablet.enrol(home, "Tablet 2");
});
after(() => closeHome(home));

const contact = async (tablet: Tablet, mode: string, note: string) => {
  await tablet.client();
  await tablet.page.locator(".kind", { hasText: "Sociaal contact" }).click();
  await tablet.page.locator("[data-field=mode]").getByText(mode, { exact: true }).click();
  await tablet.page.locator("details.more > summary").click();
  await tablet.page.locator("[data-field=note] textarea").fill(note);
  await tablet.button("Opslaan").click();
  await tablet.said("Opgeslagen op deze tablet.");
};
/** Until the tablet has heard in a sync how its store is to be protected. */
const protection = (tablet: Tablet, strict: boolean): Promise<void> =>
  until(`strict: ${strict}`, async () => strict === (await tablet.page.evaluate(isStrict)), WAIT_MS);
/** Until so many forms that were begun are kept: a moment after the last key. */
const kept = (tablet: Tablet, n: number): Promise<void> =>
  until(`${n} drafts`, async () => n === (await tablet.page.evaluate(draftsThere)), WAIT_MS);
const draftsThere = (): Promise<number> =>
  new Promise((resolve) => {
    const open = indexedDB.open("overdracht");
    open.onsuccess = () => {
      const rows = open.result.transaction("drafts").objectStore("drafts").count();
      rows.onsuccess = () => (open.result.close(), resolve(rows.result));
    };
  });
const goal = async (tablet: Tablet, score: string): Promise<void> => {
  await tablet.client();
  await tablet.page.locator(".kind", { hasText: "Doel" }).click();
  await tablet.page.locator("[data-field=score]").getByText(score, { exact: true }).click();
};
const isStrict = (): Promise<boolean> =>
  new Promise((resolve) => {
    const open = indexedDB.open("overdracht");
    open.onsuccess = () => {
      const row = open.result.transaction("meta").objectStore("meta").get("strict");
      row.onsuccess = () => (open.result.close(), resolve(row.result === true));
    };
  });
/** The page holds nothing of what was recorded, wherever its address leads. */
async function showsNothing(tablet: Tablet): Promise<void> {
  const { page } = tablet;
  for (const path of ["", "handover", "attention", "settings", "rounds", "send"]) {
    await tablet.go(path);
    await page.locator(".loading").first().waitFor({ state: "detached" });
    assert.equal(await page.getByText(BEFORE).count(), 0, path);
    assert.equal(await page.locator(".row, .round .check, .board-look, .number-badge").count(), 0, path);
    await axe(page, path);
  }
  await tablet.client();
  assert.equal(await page.locator(".row").count(), 0);
  await page.getByText("Wat eerder is ingevuld, zie je weer").waitFor();
  await axe(page, "client");
}
/** From the names to a saved form and a round; `notice` says why nothing is shown. */
async function enters(tablet: Tablet, notice: RegExp, note: string): Promise<void> {
  const { page } = tablet;
  await page.getByText(notice).waitFor();
  await axe(page, "people");
  assert.ok(await page.locator(".person", { hasText: "Tijm" }).isDisabled(), "has no PIN here yet");
  await tablet.signIn("Salie");
  await page.getByText(notice).waitFor();
  await page.locator("a.client", { hasText: CLIENT }).waitFor();
  await showsNothing(tablet);
  await contact(tablet, "bellen", note);
  await tablet.footer(/1 nog te versturen/);
  await tablet.go("rounds");
  await page.locator(".round", { hasText: CLIENT }).getByText("slaapt", { exact: true }).click();
  await tablet.said(`${CLIENT}: slaapt`);
  await tablet.footer(/2 nog te versturen/);
  await takesBack(tablet);
  await tablet.footer(/6 nog te versturen/);
}
/** Two wrong taps: one is seen at once, the other after the words of the tap have gone. */
async function takesBack(tablet: Tablet): Promise<void> {
  const { page } = tablet;
  const round = page.locator(".round", { hasText: CLIENT });
  const checks = round.locator(".check");
  await round.locator(".round-button", { hasText: "wakker onrustig" }).click();
  await page.locator(".toast-button", { hasText: "Herstel" }).click();
  await tablet.said(`De ronde van ${CLIENT} telt niet mee.`);
  await until("one is left", async () => (await checks.count()) === 1, WAIT_MS);
  await round.locator(".round-button", { hasText: "uit bed" }).click();
  await until("two are there", async () => (await checks.count()) === 2, WAIT_MS);
  await axe(page, "rounds, tapped");
  await round.getByRole("button", { name: /^Herstel: Merel, \d\d:\d\d uit bed$/ }).click();
  await until("one is left", async () => (await checks.count()) === 1, WAIT_MS);
  await checks.filter({ hasText: "slaapt" }).waitFor();
}

test("before: what is entered is shown, on both tablets", { skip }, async () => {
  home.daemon.admin("organisation", "edit", "strict_store=1");
  await a.signIn("Salie");
  await b.signIn("Tijm");
  await contact(a, "beeldbellen", BEFORE);
  await a.sent();
  await a.page.waitForTimeout(2000); // who looked here goes behind it
  await a.sent();
  await b.client();
  await b.page.locator(".row", { hasText: "Sociaal contact" }).waitFor();
  await goal(a, "veel meer");
  await kept(a, 1);
  await a.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await a.page.reload();
  await a.page.locator(".person").first().waitFor();
  await protection(a, true);
});

test("closed at its start without a network: entries are taken, and outlive the page", { skip }, async () => {
  await home.daemon.stop(); // a socket may outlive what the browser calls being offline
  await a.context.setOffline(true);
  await a.page.evaluate(() => (location.hash = "#/"));
  await a.page.reload();
  const notice = /Deze tablet is op slot\. Maak verbinding om alles te zien\. Invullen kan wel/;
  await enters(a, notice, "Belde met zijn zus.");
  await goal(a, "doel bereikt");
  await kept(a, 2);
  await a.page.reload();
  await a.page.getByText(notice).waitFor();
  await a.footer(/6 nog te versturen/);
  await a.signIn("Salie");
  await a.page.getByText("Je antwoorden staan er nog.").waitFor();
  assert.equal(await a.page.locator("[data-field=score] .chosen").count(), 1);
});

test("the network is back: the form stays as it was, all is shown and sent, also to the colleague", { skip }, async () => {
  await home.daemon.start();
  await a.context.setOffline(false);
  await a.push();
  await a.sent();
  assert.equal(await a.page.locator("[data-field=score] .chosen").count(), 1, "nobody is sent out of a form");
  await a.button("Opslaan").click();
  await a.said("Opgeslagen op deze tablet.");
  await a.page.locator(".row", { hasText: "Doel" }).waitFor();
  assert.equal(await a.page.locator(".row", { hasText: "Sociaal contact" }).count(), 2);
  // the one begun before the tablet was closed is there as well
  await a.go("");
  await a.page.getByText("Doel · Merel", { exact: true }).click();
  await a.page.locator("[data-field=score] .chosen", { hasText: "veel meer" }).waitFor();
  await a.button("Gooi dit weg").click();
  await kept(a, 0);
  await a.sent();
  await b.client();
  await b.page.locator(".row", { hasText: "Doel" }).waitFor();
  assert.equal(await b.page.locator(".row", { hasText: "Sociaal contact" }).count(), 2);
});

test("over its lease: the same, and the first sync opens it", { skip }, async () => {
  home.daemon.admin("organisation", "edit", "strict_store=0");
  await a.page.reload();
  await a.page.locator(".person").first().waitFor();
  await protection(a, false);
  await a.signIn("Salie");
  await a.page.waitForTimeout(2000); // who looked here goes behind it
  await a.sent();
  await home.daemon.stop();
  await a.later(15);
  const notice = /Deze tablet had te lang geen verbinding\. .* Invullen kan wel/;
  await enters(a, notice, "Belde met zijn broer.");
  await a.later(0);
  await a.page.getByText(notice).waitFor();
  await home.daemon.start();
  await a.button("Nu versturen").click();
  await a.page.getByText(notice).waitFor({ state: "detached" });
  await a.signIn("Salie");
  await a.sent();
  // by its clock it was entered in two weeks' time, which no screen shows yet
  const arrived = home.daemon.admin("record", "list", "social_contact").items as unknown[];
  assert.equal(arrived.length, 3);
  assert.deepEqual([a.faults, b.faults], [[], []]);
});
