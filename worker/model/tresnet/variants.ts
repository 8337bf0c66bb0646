/** How logits are made from the last stage's features: a linear layer on their mean. */
export type HeadKind = "linear";

/** What tells one TResNet from another. */
export interface Architecture {
  /** Blocks in each of the four stages. */
  readonly layers: readonly [number, number, number, number];
  /** Scales the 64 planes of the first stage. */
  readonly widthFactor: number;
  /** TResNet V2: bottleneck blocks in all four stages instead of the last two. */
  readonly v2: boolean;
  readonly numClasses: number;
  readonly leakySlopes: { readonly stem: number; readonly blocks: number };
  readonly head: HeadKind;
}

/** Planes of the four stages: P, 2P, 4P, 8P. V1 truncates 64·width, V2 rounds it to a multiple of eight (the authors' code). */
export function stagePlanes({ widthFactor, v2 }: Architecture): [number, number, number, number] {
  const planes = v2 ? Math.trunc(Math.trunc(64 * widthFactor + 4) / 8) * 8 : Math.trunc(64 * widthFactor);
  return [planes, 2 * planes, 4 * planes, 8 * planes];
}
