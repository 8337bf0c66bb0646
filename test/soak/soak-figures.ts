import type { Curve, Figure } from "../bench/support/bench.ts";
import { slope } from "./slope.ts";
import type { ProcessVitals, RedisVitals } from "./vitals.ts";

/** The part of a soak at its begin that is warm-up: caches fill, and V8 finds out how large its heap is to be. */
const WARM_UP = 0.5;

/** One look at everything, so many minutes after the load began. */
export interface Look {
  minute: number;
  processes: Record<string, ProcessVitals>;
  redis: RedisVitals;
}

/** What the looks of a soak come to. Throws when there were too few. */
export function soakFigures(looks: readonly Look[], minutes: number): Figure[] {
  const after = looks.filter(({ minute }) => minute >= WARM_UP * minutes);
  const first = after[0];
  const last = after.at(-1);
  if (first === undefined || last === undefined || after.length < 3)
    throw new Error("There were too few looks: give more MINUTES.");
  const growth = (of: (look: Look) => number) => slope(after.map((look) => [look.minute, of(look)]));
  const spread = (of: (look: Look) => number) => ({ "at first": of(first), "at last": of(last) });
  const ofProcesses = Object.keys(first.processes).flatMap((name): Figure[] => {
    const of = (vital: keyof ProcessVitals) => (look: Look) => look.processes[name]?.[vital] ?? NaN;
    return [
      {
        name: `${name}: growth of resident memory`,
        what: "slope of the straight line through all looks after the warm-up, in MB a minute",
        value: growth(of("residentMb")),
        unit: "MB",
        goal: { atMost: 1 },
        beside: spread(of("residentMb")),
        curve: curve(
          "soak-memory",
          "Resident memory under a steady mixed load",
          "MB",
          name,
          looks,
          of("residentMb"),
        ),
      },
      {
        name: `${name}: growth of open handles`,
        what: "slope of the straight line through all looks after the warm-up, in file descriptors a minute",
        value: growth(of("handles")),
        unit: "handles",
        goal: { atMost: 1 },
        beside: spread(of("handles")),
        curve: curve(
          "soak-handles",
          "Open handles under a steady mixed load",
          "file descriptors",
          name,
          looks,
          of("handles"),
        ),
      },
      {
        name: `${name}: event-loop lag, p99`,
        what: "the largest 99th percentile between two looks after the warm-up",
        value: Math.max(...after.map(of("lagMs"))),
        unit: "ms",
        curve: curve(
          "soak-lag",
          "Event-loop lag (p99) under a steady mixed load",
          "ms",
          name,
          looks,
          of("lagMs"),
        ),
      },
    ];
  });
  return [
    ...ofProcesses,
    {
      name: "Redis: growth of keys that stay",
      what: "slope of the number of keys without an expiry, in keys a minute; all others go when their retention is over",
      value: growth(({ redis }) => redis.lastingKeys),
      unit: "keys",
      goal: { atMost: 1 },
      beside: spread(({ redis }) => redis.lastingKeys),
      curve: curve(
        "soak-keys",
        "Keys in Redis under a steady mixed load",
        "keys",
        "that stay",
        looks,
        ({ redis }) => redis.lastingKeys,
      ),
    },
  ];
}

function curve(
  plot: string,
  title: string,
  y: string,
  line: string,
  looks: readonly Look[],
  of: (look: Look) => number,
): Curve {
  return { plot, title, x: "minutes", y, line, points: looks.map((look) => [look.minute, of(look)]) };
}
