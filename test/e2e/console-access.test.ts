import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { seriousFaults } from "../support/axe.ts";
import { openChromium } from "../support/chromium.ts";
import { signIn, visit } from "../support/console-visitor.ts";
import { sample } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

/** The longest that anything may take to appear. */
const PATIENCE_MS = 30_000;
/** For a test that looks closely at some twenty pages. */
const SLOW_MS = 300_000;

/** Of a user of that bucket. */
const KEYS = { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "nothing", S3_FORCE_PATH_STYLE: "true" };

let tresline: RunningTresline;
let server: TestServer;
let browser: Browser;
beforeAll(async () => {
  server = await startTestServer(({ path }) => {
    if (path === "/hook") return { status: 204 };
    const isThere = /^\/\w+\.\w+$/.test(path);
    return isThere ? { status: 200, body: sample(path.slice(1)) } : { status: 404 };
  });
  // A bucket that is not there, so that there is a labeler and a run of it to be looked at.
  const s3 = {
    S3_SOURCE_BUCKETS: "photos",
    AWS_ENDPOINT_URL_S3: server.url,
    AWS_REGION: "us-east-1",
    ...KEYS,
  };
  [tresline, browser] = await Promise.all([startTestTresline(s3), openChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await tresline?.stop();
  await server.stop();
});

/** Presses Tab until it is where the keyboard acts, and fails when nothing shows that it is. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  const reached = target.and(page.locator(":focus"));
  for (let presses = 0; (await reached.count()) === 0; presses++) {
    if (presses > 40) throw new Error(`The keyboard does not come to ${target.toString()}.`);
    await page.keyboard.press("Tab");
  }
  expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).not.toBe("none");
}

test("signing in and classifying need no more than a keyboard", async () => {
  const { page, check, leave } = await visit(browser, tresline.url, "desktop");
  await page.goto("/console");
  await page.keyboard.type(tresline.apiKey);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Classify", level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  expect(await skip.and(page.locator(":focus")).count()).toBe(1);
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByLabel("Drop images here"));
  await tabTo(page, page.getByLabel(/^Addresses /));
  await page.keyboard.type(`${server.url}/barcode_07.png`);
  await tabTo(page, page.getByRole("button", { name: "Classify" }));
  await page.keyboard.press("Enter");
  await page.getByRole("article").getByText("succeeded").waitFor();
  await tabTo(page, page.getByRole("link", { name: "barcode_07.png" }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "barcode_07.png", level: 1 }).waitFor();
  await check();
  await leave();
});

test("without script a picture is labelled by a form and a page that is loaded again", async () => {
  const { page, picture, leave } = await visit(browser, tresline.url, "phone", { javaScriptEnabled: false });
  await signIn(page, tresline.apiKey);
  const file = { name: "chart.png", mimeType: "image/png", buffer: Buffer.from(sample("pie_chart_02.png")) };
  await page.getByLabel("Drop images here").setInputFiles(file);
  await page.getByRole("button", { name: "Classify" }).click();
  const card = page.getByRole("article").filter({ has: page.getByRole("heading", { name: "chart.png" }) });
  await card.waitFor();
  const look = async () => {
    await page.reload();
    return card.textContent();
  };
  await expect.poll(look, { timeout: PATIENCE_MS }).toContain("pie_chart");
  await picture("without-script");
  await leave();
});

/** Makes one of each thing that has a page. */
async function furnish(): Promise<void> {
  const hook = await tresline.ask("/v1/webhook-endpoints", { url: `${server.url}/hook` });
  const { id } = JSON.parse(hook) as { id: string };
  const items = ["table_02.png", "missing"].map((name) => ({
    custom_id: name,
    image: { url: `${server.url}/${name}` },
  }));
  const labeler = JSON.parse(await tresline.ask("/v1/labelers", { bucket: "photos" })) as { id: string };
  await tresline.ask(`/v1/labelers/${labeler.id}/runs`, {});
  await tresline.results(await tresline.createBatch({ items, webhook: id }));
  await tresline.ended(await tresline.classify(`${server.url}/missing`));
  const attempts = () => tresline.ask(`/v1/webhook-endpoints/${id}/attempts`);
  await vi.waitFor(async () => expect(await attempts()).toContain("msg_"), { timeout: PATIENCE_MS });
}

/** What is kept as a file, and bull-board, which is not ours. */
const NO_PAGE = /\/(?:json|results|board)(?:$|\?)/;

/** What kind of page an address is of: without the query, and with one sign for all ids and names. */
const kindOf = (address: string) =>
  address
    .replace(/\?.*/, "")
    .replace(/(?<=\/(?:models|queues)\/)[^/]+/, "one")
    .replaceAll(/[a-z]{3}_\w{20,}/g, "one");

/** Goes to every kind of page that links lead to from the first one, and says which it is. */
async function* everyPage(page: Page): AsyncGenerator<string> {
  const found = new Map([["/console", "/console"]]);
  for (const [kind, address] of found) {
    const answer = await page.goto(address);
    if (answer?.status() !== 200) throw new Error(`A link leads to ${address}, where nothing is.`);
    yield kind;
    const links = await page
      .locator("main a, nav a")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    for (const link of links.filter((each) => each.startsWith("/console") && !NO_PAGE.test(each)))
      if (!found.has(kindOf(link))) found.set(kindOf(link), link);
  }
}

describe("for those who see it otherwise", () => {
  beforeAll(furnish);

  test.each(["desktop", "phone"] as const)(
    "no page has a serious fault on a %s, in light or dark",
    { timeout: SLOW_MS },
    async (screen) => {
      // A colour on its way to another would be taken for one that is too faint.
      const still = { reducedMotion: "reduce" } as const;
      const { page, check, picture, leave } = await visit(browser, tresline.url, screen, still);
      const faults: string[] = [];
      const examine = async (scheme: "light" | "dark", rule?: "color-contrast") => {
        await page.emulateMedia({ colorScheme: scheme });
        const found = await seriousFaults(page, rule);
        faults.push(...found.map((fault) => `${page.url()} in ${scheme}: ${fault}`));
      };
      const look = async () => {
        await examine("light");
        // Nothing but colours is another in the dark, and those are the same on every screen.
        if (screen === "desktop") await examine("dark", "color-contrast");
      };
      await page.goto("/console/sign-in");
      await look();
      await signIn(page, tresline.apiKey);
      await page.goto("/console/nowhere");
      await look();
      let seen = 0;
      for await (const kind of everyPage(page)) {
        await look();
        await picture(`page${kind.replaceAll("/", "-")}`);
        await check();
        seen++;
      }
      expect(seen).toBeGreaterThan(15);
      expect(faults).toEqual([]);
      await leave();
    },
  );
});
