import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

/** What the console is looked at on. */
export const SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>;

/** Where the pictures of a run are kept, by screen. */
export const PICTURES = "artifacts/console";

/** Somebody who looks at the console. */
export interface Visitor {
  page: Page;
  /**
   * Fails when the page is wider than the screen or its place in the navigation is out of sight, and when anything was wrong since the visit began: errors of scripts,
   * what the content security policy refused, answers that are the service's fault.
   */
  check: () => Promise<void>;
  /** Keeps a picture of the whole page. */
  picture: (name: string) => Promise<void>;
  leave: () => Promise<void>;
}

/** What Chromium says of an answer such as 404, which the console gives on purpose, and of a font of bull-board's that is kept out. */
const EXPECTED =
  /^Failed to load resource: the server responded with a status of 4\d\d|'https:\/\/fonts\.googleapis\.com\//;

/** Whether the page stands in the navigation where it can be seen; true of pages that are in none. */
const IS_PLACED = `(() => {
  const { left = 0, right = 0 } = document.querySelector("nav [aria-current]")?.getBoundingClientRect() ?? {};
  return left >= 0 && right <= innerWidth;
})()`;

/** Opens a browser's window at the address of a Tresline; to be left. */
export async function visit(
  browser: Browser,
  baseURL: string,
  screen: keyof typeof SCREENS,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ baseURL, ...SCREENS[screen], ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text()))
      faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) faults.push(`${response.url()}: ${response.status()}`);
  });
  const folder = join(PICTURES, screen);
  mkdirSync(folder, { recursive: true });
  return {
    page,
    async check() {
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(
        SCREENS[screen].viewport.width,
      );
      expect(await page.evaluate(IS_PLACED), `${page.url()} is not seen in the navigation`).toBe(true);
      expect(faults).toEqual([]);
    },
    async picture(name) {
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    },
    leave: () => context.close(),
  };
}

/** Signs in by the form. */
export async function signIn(page: Page, apiKey: string): Promise<void> {
  await page.goto("/console");
  await page.getByLabel("API key").fill(apiKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Classify", level: 1 }).waitFor();
}
