/** How a multi-label model does. Average precisions are 0 to 1. */
export interface MultiLabelReport {
  readonly images: number;
  /** The mean of the classes' average precisions, over classes that occur. */
  readonly mean_average_precision: number;
  readonly per_class: {
    readonly label: string;
    readonly images: number;
    readonly average_precision: number;
  }[];
}

/** One image's scores, float32 [classes], and the classes it shows. */
export interface MultiLabelAnswer {
  readonly scores: Float32Array;
  readonly labels: ReadonlySet<number>;
}

/** Reports on all images at once: average precision needs each class's ranking over all of them. */
export function multiLabelReport(
  answers: readonly MultiLabelAnswer[],
  labels: readonly string[],
): MultiLabelReport {
  const per_class = labels
    .map((label, index) => {
      const ranking = answers.map(({ scores, labels: shown }) => ({
        score: scores[index]!,
        isShown: shown.has(index),
      }));
      const images = ranking.filter(({ isShown }) => isShown).length;
      return { label, images, average_precision: averagePrecision(ranking) };
    })
    .filter(({ images }) => images > 0);
  const sum = per_class.reduce((total, { average_precision }) => total + average_precision, 0);
  return { images: answers.length, mean_average_precision: sum / Math.max(1, per_class.length), per_class };
}

/** The mean, over the images that show the class, of the precision among those ranked as high (ASL's validate.py). */
export function averagePrecision(
  ranking: readonly { readonly score: number; readonly isShown: boolean }[],
): number {
  let found = 0;
  let sum = 0;
  for (const [rank, { isShown }] of ranking.toSorted((a, b) => b.score - a.score).entries()) {
    if (!isShown) continue;
    found++;
    sum += found / (rank + 1);
  }
  return found === 0 ? 0 : sum / found;
}
