/** Numbers drawn from a seed: the same seed draws the same numbers. */
export interface Random {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True in so many of all cases, 0 to 1. */
  chance(share: number): boolean;
  pick<T>(of: readonly T[]): T;
  shuffled<T>(of: readonly T[]): T[];
}

/** Draws from a seed by mulberry32, a generator of 32 bits of state (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(fraction() * (high - low + 1));
  const pick = <T>(of: readonly T[]): T => {
    const picked = of[between(0, of.length - 1)];
    if (picked === undefined) throw new Error("There is nothing to pick from. This is a bug.");
    return picked;
  };
  return {
    between,
    chance: (share) => fraction() < share,
    pick,
    shuffled(of) {
      const left = [...of];
      return of.flatMap(() => left.splice(between(0, left.length - 1), 1));
    },
  };
}
