import { resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openChromium } from "../support/chromium.ts";
import { PICTURES, SCREENS, visit } from "../support/console-visitor.ts";
import type { Visitor } from "../support/console-visitor.ts";
import { sample } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

const DAY_S = 86_400;
/** The longest that anything may take to appear. */
const PATIENCE_MS = 30_000;

let tresline: RunningTresline;
let server: TestServer;
let browser: Browser;
/** Whether torn images are whole by now, whether the receiver is back, and when slow images come. */
let world: { isMended: boolean; isReceiving: boolean; slowOnes: PromiseWithResolvers<void> };

beforeAll(async () => {
  server = await startTestServer(async ({ path }) => {
    const [, kind, name = ""] = path.split("/");
    // The receiver asks for a day's patience, so that nothing but the button sends again.
    if (kind === "hook" && !world.isReceiving)
      return { status: 503, headers: { "retry-after": String(DAY_S) }, body: Buffer.from("Closed today") };
    if (kind === "hook") return { status: 204 };
    if (kind === "torn" && !world.isMended) return { status: 404 };
    if (kind === "slow") await world.slowOnes.promise;
    return { status: 200, body: sample(name) };
  });
  [tresline, browser] = await Promise.all([startTestTresline(), openChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await tresline?.stop();
  await server.stop();
  process.stdout.write(`Pictures of the console are in ${PICTURES}.\n`);
});

/** The path of a sample picture, absolute, as a browser's file has. */
const fileOf = (name: string) => resolve("worker/model/demo/figures/samples", name);

/** Drops files onto the middle of what `selector` finds, as a person drags them there from a folder. */
async function drop(page: Page, selector: string, files: string[]): Promise<void> {
  const box = await page.locator(selector).boundingBox();
  if (box === null) throw new Error(`${selector} is not to be seen`);
  const session = await page.context().newCDPSession(page);
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, ...at, data });
}

/** Answers whether the page was loaded again since. */
async function watchForReload(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate("window.isTheSame = true");
  return async () => (await page.evaluate("window.isTheSame")) !== true;
}

describe.each(Object.keys(SCREENS) as (keyof typeof SCREENS)[])("on a %s", (screen) => {
  let visitor: Visitor;
  let page: Page;
  let pictures = 0;
  const heading = (name: string | RegExp) => page.getByRole("heading", { name, level: 1 });
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const goTo = async (section: string) => {
    await page
      .getByRole("navigation", { name: "Console" })
      .getByRole("link", { name: section, exact: true })
      .click();
    await heading(section).waitFor();
  };
  /** What is told of a thing under a name. */
  const fact = (name: string) => page.locator("dl div").filter({ hasText: name }).locator("dd");
  /** The card of an image that was sent from the page. */
  const card = (name: string) =>
    page.getByRole("article").filter({ has: page.getByRole("heading", { name }) });

  beforeAll(async () => {
    visitor = await visit(browser, tresline.url, screen);
    page = visitor.page;
    world = { isMended: false, isReceiving: false, slowOnes: Promise.withResolvers() };
  });
  afterEach(async ({ task }) => {
    await visitor.picture(`${++pictures} ${task.name}`.replaceAll(/\W+/g, "-"));
    await visitor.check();
  });
  afterAll(() => visitor.leave());

  test("a person signs in with the key and with no other", async () => {
    await page.goto("/console/batches");
    await page.getByLabel("API key").fill("tl_wrong");
    await press("Sign in");
    await page.getByRole("alert").waitFor();
    await page.getByLabel("API key").fill(tresline.apiKey);
    await press("Sign in");
    await heading("Batches").waitFor();
    expect(new URL(page.url()).pathname).toBe("/console/batches");
  });

  test("pictures that are dropped or chosen get their labels while the person looks", async () => {
    await goTo("Classify");
    const wasReloaded = await watchForReload(page);
    const files = ["bar_chart_06.png", "heatmap_01.jpg"];
    if (screen === "desktop") await drop(page, "input[type=file]", files.map(fileOf));
    else await page.getByLabel("Drop images here").setInputFiles(files.map(fileOf));
    for (const name of files) {
      await card(name).getByText("succeeded").waitFor();
      expect(await card(name).getByRole("listitem").first().textContent()).toContain(name.slice(0, -7));
      const width = () =>
        card(name)
          .locator("img")
          .evaluate((image: { naturalWidth: number }) => image.naturalWidth);
      await expect.poll(width, { timeout: PATIENCE_MS }).toBeGreaterThan(0);
    }
    expect(await wasReloaded()).toBe(false);
  });

  test("a picture is labelled by its address, and a broken file says in its card what is wrong with it", async () => {
    const wasReloaded = await watchForReload(page);
    await page.getByLabel("Addresses").fill(`${server.url}/picture/qr_code_02.png`);
    await press("Classify");
    const broken = { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("these are notes") };
    await card("qr_code_02.png").getByText("succeeded").waitFor();
    await page.getByLabel("Drop images here").setInputFiles(broken);
    await card("notes.png").getByText("The file is not an image of a known format.").waitFor();
    expect(await wasReloaded()).toBe(false);
  });

  test("a batch is followed to its end, and a retry labels what had failed", async () => {
    await goTo("Batches");
    await page.getByRole("link", { name: "New batch" }).click();
    const names = [
      "slow/table_02.png",
      "torn/qr_code_08.png",
      "torn/bar_chart_07.png",
      "picture/heatmap_04.png",
    ];
    await page.getByLabel(/^Addresses /).fill(names.map((name) => `${server.url}/${name}`).join("\n"));
    await press("Make the batch");
    await page.getByText("in progress").waitFor();
    const wasReloaded = await watchForReload(page);
    world.slowOnes.resolve();
    await page.getByText("completed").waitFor();
    expect(await wasReloaded()).toBe(false);
    for (const name of names.filter((each) => each.startsWith("torn")))
      await page.getByRole("row", { name }).getByText("The server of the image answered 404.").waitFor();
    world.isMended = true;
    await press("Retry what has no labels");
    await page.getByText("Retry of").waitFor();
    await page.getByText("completed").waitFor();
    expect(await fact("Succeeded").textContent()).toBe("2");
  });

  test("a message that its receiver refused is seen, and sent again once that works", async () => {
    await goTo("Webhooks");
    await page.getByRole("link", { name: "New endpoint" }).click();
    await page.getByLabel("Address").fill(`${server.url}/hook/${screen}`);
    await page.getByLabel("Description").fill(`Receiver of the ${screen}`);
    await press("Create endpoint");
    await heading("Endpoint created").waitFor();
    await page.getByRole("link", { name: "To the endpoint" }).click();
    await press("Send a test");
    await heading("webhook.test").waitFor();
    const attempts = page.getByRole("row", { name: /^Attempt \d/ });
    await attempts.getByText("the receiver answered 503").waitFor();
    await visitor.picture(`${pictures + 1}-an-attempt-was-refused`);
    world.isReceiving = true;
    await press("Resend");
    await expect.poll(() => fact("Status").textContent(), { timeout: PATIENCE_MS }).toContain("delivered");
    expect(await attempts.allTextContents()).toEqual([
      expect.stringMatching(/Attempt 2.*delivered.*204/s),
      expect.stringMatching(/Attempt 1.*failed.*503/s),
    ]);
  });

  test("models, queues and workers are there to be looked at", async () => {
    await goTo("Models");
    await page.getByText("figures").first().waitFor();
    await visitor.picture(`${pictures + 1}-models`);
    await goTo("Queues");
    await page.getByText("interactive").first().waitFor();
    await visitor.picture(`${pictures + 1}-queues`);
    await page.getByRole("link", { name: "Look into jobs" }).click();
    await page.getByText("classify.figures.interactive").first().waitFor();
    await page.goBack();
    await goTo("Workers");
    await page.getByText("cpu").first().waitFor();
    expect(await page.getByRole("main").textContent()).toContain("figures");
  });

  test("who has signed out is asked for the key again", async () => {
    await press("Sign out");
    await page.goto("/console/batches");
    await heading("Sign in").waitFor();
    expect(await page.getByRole("navigation").count()).toBe(0);
  });
});
