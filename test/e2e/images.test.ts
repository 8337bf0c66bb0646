import { afterAll, beforeAll, expect, test } from "vitest";
import { sample, sampleNames } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import {
  badImages,
  inEveryOrientation,
  oneBitPng,
  openPicture,
  sameInEveryForm,
  translucent,
} from "../support/images.ts";
import type { BadImage } from "../support/images.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

let tresline: RunningTresline;
let server: TestServer;
/** The same bar chart in every form, by what it is. */
const good: Record<string, Uint8Array> = {};
/** Pictures of nothing: any label will do. */
const odd: Record<string, Uint8Array> = {};
let bad: Record<string, BadImage>;
const neighbours = sampleNames().filter((_, i) => i % 6 === 0);

const urlOf = (name: string) => `${server.url}/${encodeURIComponent(name)}`;
const item = (name: string) => ({ custom_id: name, image: { url: urlOf(name) } });

beforeAll(async () => {
  const picture = await openPicture(sample("bar_chart_06.png"));
  Object.assign(good, await sameInEveryForm(picture), { "RGBA PNG": await translucent(picture, 1) });
  for (const [orientation, file] of await inEveryOrientation(picture)) good[`EXIF ${orientation}`] = file;
  for (const [width, height] of [
    [1, 1],
    [1, 5_000],
    [5_000, 1],
  ] as const)
    odd[`${width} x ${height}`] = await oneBitPng(width, height, 0);
  bad = await badImages();
  server = await startTestServer(({ path }) => {
    const name = decodeURIComponent(path.slice(1));
    const body = good[name] ?? odd[name] ?? bad[name]?.bytes ?? sample(name);
    return { status: 200, body };
  });
  tresline = await startTestTresline();
});
afterAll(async () => {
  await tresline?.stop();
  await server.stop();
});

test("each awkward image by itself ends with its label or with its own reason, and the worker lives on", async () => {
  const worker = tresline.workerPid();
  const names = [good, odd, bad].flatMap((images) => Object.keys(images));
  const ended = await Promise.all(
    names.map(async (name) => [name, await tresline.ended(await tresline.classify(urlOf(name)))] as const),
  );
  const endOf = Object.fromEntries(ended);
  for (const name of Object.keys(good))
    expect([name, endOf[name]?.predictions?.[0]?.label]).toEqual([name, "bar_chart"]);
  for (const name of Object.keys(odd)) expect([name, endOf[name]?.status]).toEqual([name, "succeeded"]);
  for (const [name, { code, says }] of Object.entries(bad))
    expect(endOf[name]).toMatchObject({
      status: "failed",
      predictions: null,
      error: { code, detail: expect.stringMatching(says), retryable: false },
    });
  expect(tresline.workerPid()).toBe(worker);
  expect(tresline.notices).toEqual([]);
});

test("in one batch with all of them, good neighbours have the labels that they have without", async () => {
  const worker = tresline.workerPid();
  const awkward = [...Object.keys(bad), ...Object.keys(odd), ...Object.keys(good)];
  const mixed = awkward.flatMap((name, i) => (neighbours[i] === undefined ? [name] : [name, neighbours[i]]));
  const [alone, together] = await Promise.all([
    tresline.results(await tresline.createBatch({ items: neighbours.map(item) })),
    tresline.results(await tresline.createBatch({ items: mixed.map(item) })),
  ]);
  expect(neighbours.length).toBeLessThan(awkward.length);
  const labelIn = (results: typeof alone, name: string) =>
    results.find(({ custom_id }) => custom_id === name)?.predictions?.[0]?.label;
  const labels = neighbours.map((name) => labelIn(alone, name));
  expect(labels.every((label) => label !== undefined)).toBe(true);
  expect(neighbours.map((name) => labelIn(together, name))).toEqual(labels);
  expect(together.map(({ custom_id }) => custom_id)).toEqual(mixed);
  for (const name of Object.keys(good)) expect([name, labelIn(together, name)]).toEqual([name, "bar_chart"]);
  const codes = together
    .filter(({ status }) => status === "failed")
    .map(({ custom_id, error }) => [custom_id, error?.code]);
  expect(Object.fromEntries(codes)).toEqual(
    Object.fromEntries(Object.entries(bad).map(([name, { code }]) => [name, code])),
  );
  expect(tresline.workerPid()).toBe(worker);
});
