import { expect, test } from "vitest";
import { poissonSchedule, sendWhenDue } from "../../../api/cli/load.ts";
import { createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { TreslineError } from "../../../api/client/tresline-error.ts";

const image = new Blob(["image"], { type: "image/png" });
const clientOf = (create: Client["classifications"]["create"]): Client => {
  const client = createClient({ url: "http://127.0.0.1:1", apiKey: "unused" });
  return { ...client, classifications: { ...client.classifications, create } };
};

test("arrivals come at the rate, within the time, with the spread of a Poisson process", () => {
  const due = poissonSchedule(100, 100);
  // 10 000 expected with a standard deviation of 100: seven of them.
  expect(Math.abs(due.length - 10_000)).toBeLessThan(700);
  expect(due).toEqual(due.toSorted((a, b) => a - b));
  expect(due.at(-1)).toBeLessThan(100_000);
  const gaps = due.slice(1).map((at, index) => at - (due[index] ?? 0));
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(deviation / mean).toBeGreaterThan(0.9);
  expect(deviation / mean).toBeLessThan(1.1);
});

test("an image is sent when it is due although none before it has ended", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const client = clientOf(async () => {
    if (++sent === 20) resolve();
    await promise;
    throw new TreslineError({ code: "overloaded", detail: "Too much to do." });
  });
  const { images } = await sendWhenDue(client, [image], Array<number>(20).fill(0), () => {});
  expect(images.map(({ failure }) => failure)).toEqual(Array(20).fill("overloaded"));
});

test("beyond 512 in hand an image is not sent, and counted as such", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = clientOf(async () => {
    await promise;
    throw new TreslineError({ code: "timeout", detail: "Late." });
  });
  const sending = sendWhenDue(client, [image], Array<number>(600).fill(0), () => {});
  resolve();
  const codes = (await sending).images.map(({ failure }) => failure);
  expect(codes.filter((code) => code === "timeout")).toHaveLength(512);
  expect(codes.filter((code) => code === "not_sent")).toHaveLength(88);
});
