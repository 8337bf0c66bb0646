import type { Fault } from "./fault.ts";
import { BROKEN, PICTURES } from "./pictures.ts";
import type { Picture } from "./pictures.ts";
import type { Random } from "./random.ts";

/** How an image is sent: in the request, by an address, or by its place in a bucket. */
export type Via = "data" | "url" | "s3";

/** One classification to ask for. Times are milliseconds; those of the others count from its answer. */
export interface PlannedClassification {
  kind: "classification";
  atMs: number;
  picture: Picture;
  via: Via;
  hasHook: boolean;
  priority: "interactive" | "bulk";
  repeatAfterMs: number | undefined;
  cancelAfterMs: number | undefined;
}

/** One batch to ask for: of items, or of a prefix of the bucket. */
export interface PlannedBatch {
  kind: "batch";
  atMs: number;
  items: { customId: string; picture: Picture; via: Via }[] | "prefix";
  repeatAfterMs: number | undefined;
  cancelAfterMs: number | undefined;
}

/** One object to put into the labeler's bucket; it is told of so many times. */
export interface PlannedObject {
  kind: "object";
  atMs: number;
  key: string;
  picture: Picture;
  tellings: number;
}

/** All that is sent in a seed. */
export interface Load {
  /** Objects that the prefix batch finds, by their key. */
  listed: Map<string, Picture>;
  /** Objects that the labeler's first run finds. */
  present: Map<string, Picture>;
  requests: (PlannedClassification | PlannedBatch | PlannedObject)[];
}

/** How much there is of each. */
const COUNTS = { classifications: 60, batches: 3, listed: 40, present: 24, arriving: 14 };
const ITEMS = [30, 100] as const;
const VIAS: readonly Via[] = ["data", "url", "url", "s3"];
const BROKEN_SHARE = 0.1;

/** Half of the single images are sent at most so many milliseconds before a fault begins, so that it meets them under way. */
const JUST_BEFORE_MS = 80;

/** What is sent in a seed within so many milliseconds; `share` of 1 is all of it. */
export function planLoad(
  random: Random,
  { windowMs, faults, share }: { windowMs: number; faults: readonly Fault[]; share: number },
): Load {
  const some = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: Math.max(1, Math.round(count * share)) }, (_, i) => make(i));
  const at = () => random.between(0, windowMs);
  const inTheWay = () =>
    random.chance(0.5) ? Math.max(0, random.pick(faults).atMs - random.between(0, JUST_BEFORE_MS)) : at();
  const picture = () => random.pick(random.chance(BROKEN_SHARE) ? BROKEN : PICTURES);
  const maybe = (chance: number, longestMs: number) =>
    random.chance(chance) ? random.between(0, longestMs) : undefined;
  const objects = (prefix: string, count: number) =>
    new Map(some(count, (i) => [`${prefix}${String(i).padStart(3, "0")}`, picture()] as const));
  const batch = (i: number): PlannedBatch => ({
    kind: "batch",
    atMs: at(),
    items: Array.from({ length: random.between(...ITEMS) }, (_, item) => ({
      customId: `item-${item}`,
      picture: picture(),
      via: random.pick(VIAS),
    })),
    repeatAfterMs: maybe(0.7, 6_000),
    cancelAfterMs: i === 0 ? random.between(0, 4_000) : undefined,
  });
  const prefixBatch: PlannedBatch = {
    kind: "batch",
    atMs: at(),
    items: "prefix",
    repeatAfterMs: maybe(0.7, 6_000),
    cancelAfterMs: undefined,
  };
  return {
    listed: objects("listed/", COUNTS.listed),
    present: objects("album/here/", COUNTS.present),
    requests: [
      ...some(COUNTS.classifications, (): PlannedClassification => ({
        kind: "classification",
        atMs: inTheWay(),
        picture: picture(),
        via: random.pick(VIAS),
        hasHook: random.chance(0.8),
        priority: random.chance(0.25) ? "bulk" : "interactive",
        repeatAfterMs: maybe(0.3, 8_000),
        cancelAfterMs: maybe(0.12, 1_500),
      })),
      ...some(COUNTS.batches, batch),
      prefixBatch,
      ...some(COUNTS.arriving, (i): PlannedObject => ({
        kind: "object",
        atMs: at(),
        key: `album/new/${String(i).padStart(3, "0")}`,
        picture: picture(),
        tellings: random.between(1, 3),
      })),
    ].toSorted((a, b) => a.atMs - b.atMs),
  };
}
