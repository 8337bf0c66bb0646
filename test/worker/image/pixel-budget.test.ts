import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createPixelBudget } from "../../../worker/image/pixel-budget.ts";

/** How many pixels were worked on at a time at most, and what became of each image. */
async function workOn(inTime: fc.Scheduler, images: { pixels: number; fails: boolean }[]) {
  const budget = createPixelBudget(100);
  let inHand = 0;
  let most = 0;
  const ended = images.map(({ pixels, fails }) =>
    budget(pixels, async () => {
      inHand += pixels;
      most = Math.max(most, inHand);
      await inTime.schedule(Promise.resolve());
      inHand -= pixels;
      if (fails) throw new Error("undecodable");
      return "done";
    }).catch(String),
  );
  return { became: await inTime.waitFor(Promise.all(ended)), most };
}

test("never more pixels are worked on than there is room for, whatever comes and goes, and all is done", async () => {
  const image = fc.record({ pixels: fc.integer({ min: 1, max: 100 }), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(image, { maxLength: 20 }), async (inTime, images) => {
      const { became, most } = await workOn(inTime, images);
      expect(became).toEqual(images.map(({ fails }) => (fails ? "Error: undecodable" : "done")));
      expect(most).toBeLessThanOrEqual(100);
    }),
    { seed: 20_261_122 },
  );
});

test("what comes first goes first, and small ones do not keep a large one waiting for ever", async () => {
  const budget = createPixelBudget(100);
  const gates = [60, 80, 10].map((pixels) => ({ pixels, ...Promise.withResolvers<void>() }));
  const begun: number[] = [];
  const ended = gates.map(({ pixels, promise }) =>
    budget(pixels, () => {
      begun.push(pixels);
      return promise;
    }),
  );
  await setImmediate();
  expect(begun).toEqual([60]);
  gates[0]?.resolve();
  await setImmediate();
  expect(begun).toEqual([60, 80, 10]);
  for (const { resolve } of gates) resolve();
  await Promise.all(ended);
});

test("an image of more than all the room is worked on alone", async () => {
  const budget = createPixelBudget(100);
  expect(await budget(1_000, async () => "done")).toBe("done");
  expect(await budget(100, async () => "room again")).toBe("room again");
});
