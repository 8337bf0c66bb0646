import * as fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { createReceiverSlots } from "../../../worker/deliver/receiver-slots.ts";
import type { ReceiverSlots, Slot } from "../../../worker/deliver/receiver-slots.ts";

let now: number;
let slots: ReceiverSlots;
beforeEach(() => {
  now = 1_000;
  slots = createReceiverSlots(() => now);
});

/** Takes slots until there is none. */
function takeAll(name: string): Slot[] {
  const taken: Slot[] = [];
  for (let slot = slots.take(name); "release" in slot; slot = slots.take(name)) taken.push(slot);
  return taken;
}
function putOffMs(name: string): number {
  const slot = slots.take(name);
  if ("release" in slot) throw new Error("There was a slot.");
  return slot.putOffMs;
}

test("a receiver that is not known has two attempts under way, and what others have is no matter", () => {
  expect(takeAll("a")).toHaveLength(2);
  expect(takeAll("b")).toHaveLength(2);
});

test("one that answers within a second may have sixteen, until an attempt lasts longer", () => {
  const [first, second] = takeAll("a");
  now += 40;
  first?.release();
  expect(takeAll("a")).toHaveLength(15);
  now += 1_000;
  expect(putOffMs("a")).toBeGreaterThan(0);
  second?.release();
  expect(takeAll("a")).toHaveLength(0);
});

test("a slow one has two whatever it answers", () => {
  const [first] = takeAll("a");
  now += 15_000;
  first?.release();
  expect(takeAll("a")).toHaveLength(1);
});

test("messages that are put off come back one after the other, at the pace of the receiver", () => {
  takeAll("quick");
  expect([1, 2, 3, 4, 5, 6, 7].map(() => putOffMs("quick"))).toEqual([50, 50, 50, 50, 60, 70, 80]);
  takeAll("slow");
  now += 4_000;
  expect([1, 2, 3].map(() => putOffMs("slow"))).toEqual([2_000, 4_000, 6_000]);
});

test("no message is put off for more than a minute", () => {
  takeAll("a");
  now += 15_000;
  for (let times = 0; times < 1_000; times++) expect(putOffMs("a")).toBeLessThanOrEqual(60_000);
  expect(putOffMs("a")).toBe(60_000);
});

test("the queue of turns begins anew once the receiver has answered quickly", () => {
  const [first] = takeAll("a");
  for (let times = 0; times < 100; times++) putOffMs("a");
  expect(putOffMs("a")).toBeGreaterThan(1_000);
  now += 30;
  first?.release();
  takeAll("a");
  expect(putOffMs("a")).toBe(50);
});

test("whatever happens, a receiver never has more under way than it may, and it has a slot once all are free", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("take", "release"), fc.nat(20_000))), (steps) => {
      const each = createReceiverSlots(() => now);
      const taken: Slot[] = [];
      for (const [step, ms] of steps) {
        now += ms;
        if (step === "release") taken.shift()?.release();
        else {
          const slot = each.take("a");
          if ("release" in slot) taken.push(slot);
        }
        expect(taken.length).toBeLessThanOrEqual(16);
      }
      for (const slot of taken) slot.release();
      expect(each.take("a")).toHaveProperty("release");
    }),
  );
});
