import { expect, test } from "vitest";
import { FAULTS } from "./fault.ts";
import { planFaults } from "./plan-faults.ts";
import { createRandom } from "./random.ts";

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const plan = (seed: number) => planFaults(seed, createRandom(seed));

test("a seed plans the same faults each time, and another seed others", () => {
  expect(plan(7)).toEqual(plan(7));
  expect(plan(8)).not.toEqual(plan(7));
});

test("twenty seeds have faults of every kind, and Redis and S3 are each away for half a minute", () => {
  const faults = SEEDS.flatMap(plan);
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(Object.keys(FAULTS)));
  const long = faults.filter(({ lastsMs }) => lastsMs === 30_000).map(({ kind }) => kind);
  expect(new Set(long)).toEqual(new Set(["redis-paused", "s3-silent", "s3-slow-down"]));
});

test.each(["redis-", "s3-", "receiver-", "clock-"])(
  "of the faults of %s… one begins three seconds after another is over",
  (begin) => {
    const gaps = SEEDS.flatMap((seed) => {
      const faults = plan(seed).filter(({ kind }) => kind.startsWith(begin));
      return faults.slice(1).map(({ atMs }, i) => atMs - (faults[i]?.atMs ?? 0) - (faults[i]?.lastsMs ?? 0));
    });
    expect(gaps.filter((gap) => gap < 3_000)).toEqual([]);
  },
);
