/** How a model does on images of one class each. Accuracies are 0 to 1. */
export interface SingleLabelReport {
  readonly images: number;
  readonly top1: number;
  /** Among the five highest scores. */
  readonly top5: number;
  readonly per_class: { readonly label: string; readonly images: number; readonly top1: number }[];
  /** Rows: the true class; columns: the answer; classes in the order of `per_class`. Only those that occur. */
  readonly confusion: number[][];
}

/** Gathers answers one image at a time. */
export class SingleLabelTally {
  readonly #labels: readonly string[];
  readonly #pairs = new Map<number, Map<number, number>>();
  #images = 0;
  #top1 = 0;
  #top5 = 0;

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  /** Counts one image: its true class and the model's scores, float32 [classes]. */
  add(label: number, scores: Float32Array): void {
    const better = scores.reduce((count, score) => (score > scores[label]! ? count + 1 : count), 0);
    const answer = better === 0 ? label : scores.indexOf(Math.max(...scores));
    this.#images++;
    if (better === 0) this.#top1++;
    if (better < 5) this.#top5++;
    const row = this.#pairs.get(label) ?? new Map<number, number>();
    row.set(answer, (row.get(answer) ?? 0) + 1);
    this.#pairs.set(label, row);
  }

  report(): SingleLabelReport {
    const answers = [...this.#pairs.values()].flatMap((row) => [...row.keys()]);
    const classes = [...new Set([...this.#pairs.keys(), ...answers])].toSorted((a, b) => a - b);
    const confusion = classes.map((truth) =>
      classes.map((answer) => this.#pairs.get(truth)?.get(answer) ?? 0),
    );
    const per_class = classes.map((index, i) => {
      const images = confusion[i]!.reduce((sum, count) => sum + count, 0);
      return { label: this.#labels[index]!, images, top1: images === 0 ? 0 : confusion[i]![i]! / images };
    });
    const share = (count: number) => (this.#images === 0 ? 0 : count / this.#images);
    return { images: this.#images, top1: share(this.#top1), top5: share(this.#top5), per_class, confusion };
  }
}
