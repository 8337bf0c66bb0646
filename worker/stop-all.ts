import type { Consuming, Stopped } from "./consume.ts";

/** Stops consumers side by side, and adds up what became of their jobs. */
export async function stopAll(consuming: readonly Consuming[], deadline?: AbortSignal): Promise<Stopped> {
  const stopped = await Promise.all(consuming.map((each) => each.stop(deadline)));
  const sum = (count: (each: Stopped) => number) => stopped.reduce((total, each) => total + count(each), 0);
  return { finished: sum(({ finished }) => finished), handedBack: sum(({ handedBack }) => handedBack) };
}
