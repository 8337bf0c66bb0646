/** Does work on an image of so many pixels once there is room for them. Throws what the work throws. */
export type PixelBudget = <T>(pixels: number, work: () => Promise<T>) => Promise<T>;

/**
 * Bounds the pixels that are worked on at a time to `total`, first come, first served. What has more has all the room for
 * itself.
 */
export function createPixelBudget(total: number): PixelBudget {
  let free = total;
  const waiting: { pixels: number; start: () => void }[] = [];
  const startNext = () => {
    for (let next = waiting[0]; next !== undefined && next.pixels <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.pixels;
      next.start();
    }
  };
  return async (wanted, work) => {
    const pixels = Math.min(wanted, total);
    await new Promise<void>((start) => {
      waiting.push({ pixels, start });
      startNext();
    });
    try {
      return await work();
    } finally {
      free += pixels;
      startNext();
    }
  };
}
