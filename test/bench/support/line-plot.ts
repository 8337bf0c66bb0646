import type { Curve } from "./bench.ts";
import { COLOURS, WIDTH, path, picture, stroke, text } from "./svg.ts";

const HEIGHT = 340;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 24, 64, 52];
/** Steps on an axis, at most. */
const TICKS = 5;

/** Curves over the same axes, both from 0. Throws when there is none. */
export function linePlot(curves: readonly Curve[]): string {
  const [first] = curves;
  if (first === undefined) throw new Error("A plot has at least one curve. This is a bug.");
  const points = curves.flatMap((curve) => curve.points);
  const [ticksX, ticksY] = [ticksOver(points.map(([x]) => x)), ticksOver(points.map(([, y]) => y))];
  const toX = (x: number) => LEFT + (WIDTH - LEFT - RIGHT) * (x / (ticksX.at(-1) ?? NaN));
  const toY = (y: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y / (ticksY.at(-1) ?? NaN));
  return picture(HEIGHT, first.title, [
    ...ticksY.flatMap((y) => [
      stroke([LEFT, toY(y)], [WIDTH - RIGHT, toY(y)], "#ddd"),
      text(LEFT - 8, toY(y) + 4, label(y), "end"),
    ]),
    ...ticksX.map((x) => text(toX(x), HEIGHT - BOTTOM + 20, label(x), "middle")),
    text(LEFT, TOP - 14, first.y, "end"),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, first.x, "middle"),
    ...curves.flatMap(({ line, points: own }, index) => {
      const colour = COLOURS[index % COLOURS.length] ?? "#222";
      const y = TOP - 14;
      const x = LEFT + 60 + 220 * index;
      return [
        path(
          own.map(([ownX, ownY]) => [toX(ownX), toY(ownY)] as const),
          colour,
        ),
        stroke([x, y - 4], [x + 24, y - 4], colour),
        text(x + 30, y, line),
      ];
    }),
  ]);
}

/** From 0 over all values, in steps of 1, 2, 2.5 or 5 times a power of ten. */
function ticksOver(values: readonly number[]): number[] {
  const most = Math.max(...values, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(most / TICKS));
  const step = power * ([1, 2, 2.5, 5].find((each) => each * power >= most / TICKS) ?? 10);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, tick) => tick * step);
}

const label = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 2 });
