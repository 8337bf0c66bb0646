import { BOTTLENECK_EXPANSION, basicBlock, bottleneck } from "./blocks.ts";
import { conv2dAbn, leakyRelu, spaceToDepth } from "./layers.ts";
import type { Net } from "./layers.ts";
import { stagePlanes } from "./variants.ts";
import type { Architecture } from "./variants.ts";

/**
 * The body of a TResNet: pixels [N,3,H,W], with colour c already multiplied by 1/`colourScale[c]`, to the last stage's map
 * [N,features,⌈H/32⌉,⌈W/32⌉]. H and W are multiples of 4, at least 20. Values carry upstream's module paths as names.
 */
export function tresnetBody(
  net: Net,
  pixels: string,
  architecture: Architecture,
  colourScale: readonly number[],
): Features {
  const planes = stagePlanes(architecture);
  let x = spaceToDepth(net, pixels);
  x = conv2dAbn(net, x, "body.conv1", { from: 48, to: planes[0], kernel: 3 }, colourScale);
  x = leakyRelu(net, x, "body.conv1", net.leakySlopes.stem);

  let channels = planes[0];
  for (const stage of [0, 1, 2, 3] as const) {
    const isBasic = stage < 2 && !architecture.v2;
    for (let i = 0; i < architecture.layers[stage]; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const block = {
        path: `body.layer${stage + 1}.${i}`,
        from: channels,
        planes: planes[stage],
        stride,
        se: stage < 3,
      } as const;
      x = isBasic ? basicBlock(net, x, block) : bottleneck(net, x, block);
      channels = isBasic ? planes[stage] : planes[stage] * BOTTLENECK_EXPANSION;
    }
  }
  return { map: x, channels };
}

/** What the body gives the head: the name of the last map and its channels. */
export interface Features {
  readonly map: string;
  readonly channels: number;
}
