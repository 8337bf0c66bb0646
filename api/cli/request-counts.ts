/** How many images there are, and how many of them have ended in each way. */
export type RequestCounts = Readonly<{ total: number } & Record<string, number>>;

/** How many have ended. */
export const endedOf = (counts: RequestCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0) - counts.total;

/** The same for a person: `658, 655 succeeded, 3 failed`. While `isGrowing` the total is what is known so far. */
export function printCounts({ total, ...outcomes }: RequestCounts, isGrowing: boolean): string {
  const told = Object.entries(outcomes).flatMap(([way, count]) => (count > 0 ? [`${count} ${way}`] : []));
  return [`${total}${isGrowing ? " known so far" : ""}`, ...told].join(", ");
}
