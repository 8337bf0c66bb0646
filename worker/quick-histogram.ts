import { Histogram } from "prom-client";
import type { HistogramConfiguration, LabelValues, MetricType } from "prom-client";

/** The values of a histogram that have the same labels. */
export interface Series {
  observe: (value: number) => void;
}

/** How many values there were up to each bound and above the one before; the last count is of what is larger than all. */
interface Counted<Label extends string> {
  labels: LabelValues<Label>;
  counts: Float64Array;
  sum: number;
}

/**
 * A histogram for what is observed several times an image: prom-client's own looks a series up by its labels each time. Its
 * series are known from the start, and 0 until something is observed.
 */
export class QuickHistogram<Label extends string> extends Histogram<Label> {
  readonly #about: Pick<HistogramConfiguration<Label>, "name" | "help">;
  readonly #bounds: readonly number[];
  readonly #series: Counted<Label>[] = [];

  constructor(configuration: HistogramConfiguration<Label> & { buckets: number[] }) {
    super(configuration);
    this.#about = configuration;
    this.#bounds = configuration.buckets;
  }

  /** Begins the series of these labels, which there must be none of yet. */
  series(labels: LabelValues<Label>): Series {
    const bounds = this.#bounds;
    const counted = { labels, counts: new Float64Array(bounds.length + 1), sum: 0 };
    this.#series.push(counted);
    return {
      observe(value) {
        let at = 0;
        while (value > (bounds[at] ?? Infinity)) at++;
        counted.counts[at] = (counted.counts[at] ?? 0) + 1;
        counted.sum += value;
      },
    };
  }

  override async get(): ReturnType<Histogram<Label>["get"]> {
    const { name, help } = this.#about;
    return {
      name,
      help,
      // prom-client's types number the kinds of metrics; what it writes is their names.
      type: "histogram" as unknown as MetricType,
      aggregator: "sum",
      collect: () => {},
      values: this.#series.flatMap((each) => this.#valuesOf(name, each)),
    };
  }

  /** The same, by the name that a registry asks for when it writes text. */
  getForPromString(): ReturnType<Histogram<Label>["get"]> {
    return this.get();
  }

  #valuesOf(name: string, { labels, counts, sum }: Counted<Label>) {
    let upTo = 0;
    const buckets = [...this.#bounds, "+Inf" as const].map((le, at) => {
      upTo += counts[at] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: upTo };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: upTo },
    ];
  }
}
