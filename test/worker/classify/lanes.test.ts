import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BULK_TURN, Lanes } from "../../../worker/classify/lanes.ts";
import type { Waiting } from "../../../worker/classify/lanes.ts";

interface Item extends Waiting {
  name: string;
}
const item = (lane: Item["lane"], tenant: string, number = 0): Item => ({
  lane,
  tenant,
  name: `${lane[0]}-${tenant}${number}`,
});
const drain = (lanes: Lanes<Item>) => {
  const names: string[] = [];
  for (let next = lanes.next(); next !== undefined; next = lanes.next()) names.push(next.name);
  return names;
};

test("interactive goes before bulk, whichever came first", () => {
  const lanes = new Lanes<Item>();
  lanes.push(item("bulk", "a"));
  lanes.push(item("interactive", "a"));
  expect(drain(lanes)).toEqual(["i-a0", "b-a0"]);
});

test("bulk has its turn however much interactive there is", () => {
  const lanes = new Lanes<Item>();
  for (let i = 0; i < 40; i++) lanes.push(item("interactive", "a", i));
  for (let i = 0; i < 4; i++) lanes.push(item("bulk", "b", i));
  const order = drain(lanes);
  expect(order.filter((_, place) => place % BULK_TURN === BULK_TURN - 1).slice(0, 4)).toEqual([
    "b-b0",
    "b-b1",
    "b-b2",
    "b-b3",
  ]);
});

test("tenants take turns inside a lane, and each is served in the order of arrival", () => {
  const lanes = new Lanes<Item>();
  for (let i = 0; i < 3; i++) lanes.push(item("bulk", "a", i));
  for (let i = 0; i < 2; i++) lanes.push(item("bulk", "b", i));
  lanes.push(item("bulk", "c", 0));
  expect(drain(lanes)).toEqual(["b-a0", "b-b0", "b-c0", "b-a1", "b-b1", "b-a2"]);
});

test("a tenant that comes late does not go before those that wait", () => {
  const lanes = new Lanes<Item>();
  lanes.push(item("bulk", "a", 0));
  lanes.push(item("bulk", "b", 0));
  lanes.push(item("bulk", "a", 1));
  expect(lanes.next()?.name).toBe("b-a0");
  lanes.push(item("bulk", "c", 0));
  expect(drain(lanes)).toEqual(["b-b0", "b-a1", "b-c0"]);
});

test("who is put back is next of its tenant", () => {
  const lanes = new Lanes<Item>();
  lanes.push(item("bulk", "a", 0));
  lanes.push(item("bulk", "a", 1));
  const first = lanes.next();
  if (first !== undefined) lanes.putBack(first);
  expect(drain(lanes)).toEqual(["b-a0", "b-a1"]);
});

test("in any order of pushes and takes, all come out once, each tenant's in order, and none waits for ever", () => {
  const push = fc.record({
    lane: fc.constantFrom("interactive" as const, "bulk" as const),
    tenant: fc.constantFrom("a", "b", "c"),
  });
  fc.assert(
    fc.property(fc.array(fc.option(push), { maxLength: 200 }), (steps) => {
      const lanes = new Lanes<Item>();
      const pushed: Item[] = [];
      const taken: Item[] = [];
      for (const step of steps) {
        const next = step === null ? lanes.next() : undefined;
        if (next !== undefined) taken.push(next);
        if (step === null) continue;
        pushed.push(item(step.lane, step.tenant, pushed.length));
        lanes.push(pushed.at(-1) ?? item("bulk", "x"));
      }
      expect(lanes.size).toBe(pushed.length - taken.length);
      for (let next = lanes.next(); next !== undefined; next = lanes.next()) taken.push(next);
      for (const lane of ["interactive", "bulk"])
        for (const tenant of ["a", "b", "c"]) {
          const ofOne = (items: Item[]) =>
            items.filter((each) => each.lane === lane && each.tenant === tenant);
          expect(ofOne(taken)).toEqual(ofOne(pushed));
        }
    }),
  );
});
