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

const longestPutOffMs = (name: string) => Math.max(...Array.from({ length: 20_000 }, () => putOffMs(name)));

test("a receiver that is not known has two attempts under way, and what others have is no matter", () => {
  expect(takeAll("a")).toHaveLength(2);
  expect(takeAll("b")).toHaveLength(2);
});

test("one that answers within a second may have thirty-two, until an attempt lasts longer", () => {
  const [first, second] = takeAll("a");
  now += 40;
  first?.release();
  expect(takeAll("a")).toHaveLength(31);
  now += 1_000;
  expect(putOffMs("a")).toBeGreaterThan(0);
  second?.release();
  expect(takeAll("a")).toHaveLength(0);
});

test("a slow one has two whatever it answers, also after a time without messages", () => {
  const [first, second] = takeAll("a");
  now += 15_000;
  first?.release();
  expect(takeAll("a")).toHaveLength(1);
  second?.release();
  now += 3_600_000;
  takeAll("a");
  expect(putOffMs("a")).toBeGreaterThan(1_000);
});

test("messages that are put off come back one after the other, at the pace of the receiver", () => {
  const [first] = takeAll("quick");
  now += 640;
  first?.release();
  takeAll("quick");
  const turns = Array.from({ length: 13 }, () => putOffMs("quick"));
  expect(turns).toEqual([50, 50, 50, 50, 50, 50, 50, 50, 50, 55, 60, 65, 70]);
  takeAll("slow");
  now += 4_000;
  expect([1, 2, 3].map(() => putOffMs("slow"))).toEqual([2_000, 4_000, 6_000]);
});

test("no message is put off for more than a minute, and for a second while nobody knows how slow the receiver is", () => {
  takeAll("a");
  expect(longestPutOffMs("a")).toBe(1_000);
  now += 15_000;
  expect(longestPutOffMs("a")).toBe(60_000);
});

test("the queue of turns begins anew once a slow receiver is quick", () => {
  const [first, second] = takeAll("a");
  now += 15_000;
  first?.release();
  const third = slots.take("a");
  for (let times = 0; times < 100; times++) putOffMs("a");
  second?.release();
  now += 30;
  if ("release" in third) third.release();
  takeAll("a");
  expect(putOffMs("a")).toBe(50);
});

test("what is known of a receiver is forgotten when a thousand others came after it and none of its attempts is under way", () => {
  const [first, second] = takeAll("idle");
  takeAll("busy");
  now += 15_000;
  for (const slot of [first, second]) slot?.release();
  for (let other = 0; other < 1_000; other++) {
    const slot = slots.take(`other ${other}`);
    if ("release" in slot) slot.release();
  }
  expect(putOffMs("busy")).toBeGreaterThan(1_000);
  takeAll("idle");
  expect(putOffMs("idle"), "as if it were new").toBe(50);
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
        expect(taken.length).toBeLessThanOrEqual(32);
      }
      for (const slot of taken) slot.release();
      expect(each.take("a")).toHaveProperty("release");
    }),
  );
});
