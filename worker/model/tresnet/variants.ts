/** How logits are made of the last map: `linear` on its mean, ASL's `bottleneck` (two linear layers on its mean), or `ml_decoder` (queries that attend to it). */
export const HEADS = ["linear", "bottleneck", "ml_decoder"] as const;
/** The name of a head. */
export type HeadKind = (typeof HEADS)[number];

/** Blocks in each of the four stages. */
export type Layers = readonly [number, number, number, number];

/** The network before its head. */
export interface Body {
  readonly layers: Layers;
  /** Scales the 64 planes of the first stage. */
  readonly widthFactor: number;
  /** TResNet V2: bottleneck blocks in all four stages instead of the last two. */
  readonly v2: boolean;
}

/** What tells one TResNet from another. */
export interface Architecture extends Body {
  readonly numClasses: number;
  readonly leakySlopes: { readonly stem: number; readonly blocks: number };
  readonly head: HeadKind;
}

/** The bodies that have a name: timm's four, ML-Decoder's own "tresnet_xl", and the small one in ML-Decoder's code. Its "tresnet_l" is tresnet_v2_l. */
export const VARIANTS = {
  tresnet_s: { layers: [3, 4, 6, 3], widthFactor: 1, v2: false },
  tresnet_m: { layers: [3, 4, 11, 3], widthFactor: 1, v2: false },
  tresnet_l: { layers: [4, 5, 18, 3], widthFactor: 1.2, v2: false },
  tresnet_xl: { layers: [4, 5, 24, 3], widthFactor: 1.3, v2: false },
  tresnet_v2_l: { layers: [3, 4, 23, 3], widthFactor: 1, v2: true },
  ml_decoder_xl: { layers: [3, 8, 34, 5], widthFactor: 1, v2: true },
} as const satisfies Record<string, Body>;
/** The name of a body. */
export type VariantName = keyof typeof VARIANTS;

/** The names of VARIANTS. */
export const VARIANT_NAMES = [
  "tresnet_s",
  "tresnet_m",
  "tresnet_l",
  "tresnet_xl",
  "tresnet_v2_l",
  "ml_decoder_xl",
] as const satisfies readonly VariantName[];

/** Planes of the four stages: P, 2P, 4P, 8P. V1 truncates 64·width, V2 rounds it to a multiple of eight (the authors' code). */
export function stagePlanes({
  widthFactor,
  v2,
}: Pick<Body, "widthFactor" | "v2">): [number, number, number, number] {
  const planes = v2 ? Math.trunc(Math.trunc(64 * widthFactor + 4) / 8) * 8 : Math.trunc(64 * widthFactor);
  return [planes, 2 * planes, 4 * planes, 8 * planes];
}

/** The name of a body, or undefined when it is a custom one. */
export function variantName(body: Body): VariantName | undefined {
  return VARIANT_NAMES.find((name) => {
    const variant = VARIANTS[name];
    return (
      variant.v2 === body.v2 &&
      variant.layers.join() === body.layers.join() &&
      stagePlanes(variant)[0] === stagePlanes(body)[0]
    );
  });
}
