import { isMet } from "./bench.ts";
import type { Figure } from "./bench.ts";
import { goalText, withUnit } from "./print-figures.ts";
import { COLOURS, WIDTH, box, picture, stroke, text } from "./svg.ts";

const [LEFT, RIGHT, TOP, ROW] = [16, 280, 76, 46];
/** How many times as good as its goal a bar shows at most. */
const MOST = 2;
const [MET, MISSED] = COLOURS;

/** Each figure that has a goal as a bar: how many times as good as its goal, which is the line at 1. */
export function goalBars(figures: readonly Figure[]): string {
  const held = figures.filter(({ goal }) => goal !== undefined);
  const bottom = TOP + ROW * held.length;
  const rows = held.flatMap((figure, index) => {
    const y = TOP + ROW * index;
    return [
      text(LEFT, y + 14, figure.name),
      box(LEFT, y + 21, x(margin(figure)) - LEFT, 16, isMet(figure) ? MET : MISSED),
      stroke([x(1), y + 18], [x(1), y + 40], "#222"),
      text(WIDTH - RIGHT + 16, y + 34, `${withUnit(figure.value, figure.unit)} (goal ${goalText(figure)})`),
    ];
  });
  return picture(bottom + 20, "How many times as good as its goal each figure is", [
    ...[0.5, 1, 1.5, 2].map((times) =>
      text(x(times), TOP - 10, times === MOST ? `${MOST} or more` : String(times), "middle"),
    ),
    ...rows,
  ]);
}

const x = (times: number) => LEFT + (WIDTH - LEFT - RIGHT) * (Math.min(times, MOST) / MOST);

function margin({ value, goal }: Figure): number {
  if (goal === undefined) return NaN;
  return "atLeast" in goal ? value / goal.atLeast : goal.atMost / value;
}
