import { blurPool, conv2dAbn, downsample, leakyRelu, squeezeExcite } from "./layers.ts";
import type { Net } from "./layers.ts";

/** One residual block: where it is in the checkpoint, its channels, and what it has. */
export interface Block {
  readonly path: string;
  /** Channels that come in. */
  readonly from: number;
  /** Channels of its 3×3 convolutions. */
  readonly planes: number;
  readonly stride: 1 | 2;
  readonly se: boolean;
}

/** Channels a bottleneck gives, as a multiple of its planes. */
export const BOTTLENECK_EXPANSION = 4;

/** Two 3×3 convolutions, SE on their result, plus the shortcut; gives `planes` channels. */
export function basicBlock(net: Net, x: string, block: Block): string {
  const { path, from, planes, stride, se } = block;
  let y = conv2dAbn(net, x, `${path}.conv1`, { from, to: planes, kernel: 3 });
  y = leakyRelu(net, y, `${path}.conv1`, net.leakySlopes.blocks);
  if (stride === 2) y = blurPool(net, y, `${path}.conv1`);
  y = conv2dAbn(net, y, `${path}.conv2`, { from: planes, to: planes, kernel: 3 });
  if (se) y = squeezeExcite(net, y, `${path}.se`, planes, Math.max(Math.floor(planes / 4), 64));
  return addShortcut(net, x, y, block, planes);
}

/** 1×1, 3×3, SE between, 1×1, plus the shortcut; gives 4·planes channels. */
export function bottleneck(net: Net, x: string, block: Block): string {
  const { path, from, planes, stride, se } = block;
  const to = planes * BOTTLENECK_EXPANSION;
  let y = conv2dAbn(net, x, `${path}.conv1`, { from, to: planes, kernel: 1 });
  y = leakyRelu(net, y, `${path}.conv1`, net.leakySlopes.blocks);
  y = conv2dAbn(net, y, `${path}.conv2`, { from: planes, to: planes, kernel: 3 });
  y = leakyRelu(net, y, `${path}.conv2`, net.leakySlopes.blocks);
  if (stride === 2) y = blurPool(net, y, `${path}.conv2`);
  if (se)
    y = squeezeExcite(
      net,
      y,
      `${path}.se`,
      planes,
      Math.max(Math.floor((planes * BOTTLENECK_EXPANSION) / 8), 64),
    );
  y = conv2dAbn(net, y, `${path}.conv3`, { from: planes, to, kernel: 1 });
  return addShortcut(net, x, y, block, to);
}

function addShortcut(net: Net, x: string, y: string, { path, from, stride }: Block, to: number): string {
  const identity = stride === 1 && from === to;
  const shortcut = identity ? x : downsample(net, x, path, { from, to, kernel: 1 }, stride);
  return net.graph.node("Relu", path, [net.graph.node("Add", `${path}.add`, [y, shortcut])]);
}
