// `make pictures`: takes the pictures of the console that the README shows.
import { writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { openChromium } from "../support/chromium.ts";
import { signIn, visit } from "../support/console-visitor.ts";
import { sample, sampleNames } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestAnswer, TestServer } from "../support/http-server.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

const FOLDER = "docs/img";
const SIZE = { viewport: { width: 1180, height: 600 }, deviceScaleFactor: 2 };
/** Of WebP, 0 to 100: no difference can be seen, at a third of a PNG's size. */
const QUALITY = 88;

/** One of each kind of figure that looks well in a small square. */
const SHOWN = [
  "pie_chart_08.png",
  "scatter_plot_11.webp",
  "heatmap_08.webp",
  "flowchart_07.jpg",
  "bar_chart_07.png",
  "qr_code_09.png",
];

const WHOLE = sample("line_chart_00.jpg");
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" />');
/** What cannot be labelled, by its name. */
const BROKEN: Readonly<Record<string, TestAnswer>> = {
  "summary-2024.png": { status: 404 },
  "logo.svg": { status: 200, body: SVG },
  "appendix-b.jpg": { status: 200, body: WHOLE.subarray(0, WHOLE.length / 2) },
};

const server = await startTestServer(({ path }) => {
  const name = path.slice(1);
  return BROKEN[name] ?? { status: 200, body: sample(name) };
});
const tresline = await startTestTresline({ MODEL: "figures" });
const browser = await openChromium();
try {
  const { page } = await visit(browser, tresline.url, "desktop", SIZE);
  await signIn(page, tresline.apiKey);
  await classify(page);
  await keep(page, "console-classify");
  await page.goto(`/console/batches/${await labelBatch(tresline, server)}`);
  await keep(page, "console-batch");
} finally {
  await browser.close();
  await tresline.stop();
  await server.stop();
}

async function classify(page: Page): Promise<void> {
  const files = SHOWN.map((name) => ({ name, mimeType: "image/*", buffer: Buffer.from(sample(name)) }));
  await page.getByLabel("Drop images here").setInputFiles(files);
  for (const name of SHOWN)
    await page
      .getByRole("article")
      .filter({ has: page.getByRole("heading", { name }) })
      .getByText("succeeded")
      .waitFor();
}

/** Labels all samples and a few that cannot be, and answers the id of their batch when it has ended. */
async function labelBatch({ createBatch, results }: RunningTresline, { url }: TestServer): Promise<string> {
  const names = [...sampleNames(), ...Object.keys(BROKEN)];
  const items = names.map((name) => ({ custom_id: `report/${name}`, image: { url: `${url}/${name}` } }));
  const id = await createBatch({ items });
  await results(id);
  return id;
}

/** Keeps a picture of a whole page. */
async function keep(page: Page, name: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  const file = `${FOLDER}/${name}.webp`;
  writeFileSync(
    file,
    await sharp(await page.screenshot({ fullPage: true }))
      .webp({ quality: QUALITY })
      .toBuffer(),
  );
  process.stdout.write(`${file}\n`);
}
