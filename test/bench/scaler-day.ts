// A day of a cluster that is made up, minute by minute: node test/bench/scaler-day.ts writes docs/bench/scaler-day.svg and prints what came of it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { wantedPods } from "../../api/wanted-pods.ts";
import type { PodGoal } from "../../api/wanted-pods.ts";
import { CHUNK_SIZE, MAX_WAITING_CHUNKS } from "../../shared/queue.ts";
import { linePlot } from "./support/line-plot.ts";

/** Images a second that a pod labels, and how old the oldest may become, in seconds. */
const GOAL: PodGoal = { targetS: 300, imagesPerSecond: 50 };
/** Seconds from asking for a pod until it takes jobs: an assumption. */
const START_S = 60;
/** What infra/k8s tells KEDA: seconds between questions, and for which the highest answer holds; the most pods; how fast they may become fewer. */
const POLL_S = 15;
const HOLD_S = 300;
const MOST_PODS = 40;
const FEWER_A_MINUTE = 0.5;
/** Kubernetes changes nothing for a difference of no more than this part of the pods there are. */
const TOLERANCE = 0.1;
/** Seconds for which no pod has been wanted after which the last one goes. */
const COOLDOWN_S = 300;
/** Images of a batch that are listed a second, by the one job that lists it. */
const LISTED_PER_SECOND = 5_000;
const DAY_S = 86_400;
const HOUR_S = 3_600;

/** Images that arrive in a second of the day, each as a job of its own. */
function arrivals(second: number): number {
  const hour = second / HOUR_S;
  if (hour < 6) return 0;
  if (hour < 9) return 100;
  if (hour < 10) return 400;
  if (hour < 13) return 600;
  if (hour < 17) return hour >= 15 && hour < 15.1 ? 2_000 : 300;
  if (hour < 21) return 300 + 200 * Math.sin((Math.PI * (hour - 17)) / 2);
  return hour < 22 ? 20 : 0;
}

/** What comes at once: so many images at a second of the day. */
const BURSTS: readonly (readonly [second: number, images: number])[] = [
  [2 * HOUR_S, 200_000],
  [11.5 * HOUR_S, 150_000],
  [22.5 * HOUR_S, 1],
];
/** A batch whose items lie in a bucket: when it is created, and of how many images. */
const BATCH = { at: 3.5 * HOUR_S, images: 2_000_000 };

/** Images that wait, the oldest first, by the second in which they came. */
class Lane {
  private readonly came: { second: number; images: number }[] = [];
  images = 0;

  add(second: number, images: number): void {
    if (images === 0) return;
    this.came.push({ second, images });
    this.images += images;
  }

  take(most: number): number {
    let left = most;
    while (left > 0) {
      const [oldest] = this.came;
      if (oldest === undefined) break;
      const taken = Math.min(left, oldest.images);
      oldest.images -= taken;
      left -= taken;
      if (oldest.images <= 0) this.came.shift();
    }
    this.images -= most - left;
    return most - left;
  }

  ageS = (now: number): number => now - (this.came[0]?.second ?? now);
}

interface Minute {
  hour: number;
  ageS: number;
  pods: number;
  wanted: number;
}

function liveThroughIt() {
  const lanes = { interactive: new Lane(), bulk: new Lane() };
  /** The seconds at which pods that were asked for begin to work. */
  let pods: number[] = [];
  let answers: { second: number; wanted: number }[] = [];
  let unlisted = 0;
  let labelled = 0;
  let podSeconds = 0;
  let idleSince = 0;
  const minutes: Minute[] = [];
  let oldest = { ageS: 0, second: 0 };
  for (let now = 0; now < DAY_S; now++) {
    lanes.interactive.add(now, arrivals(now));
    for (const [at, images] of BURSTS) if (at === now) lanes.interactive.add(now, images);
    if (now === BATCH.at) unlisted = BATCH.images;
    const room = MAX_WAITING_CHUNKS * CHUNK_SIZE - lanes.bulk.images;
    const listed = Math.min(unlisted, LISTED_PER_SECOND, room);
    lanes.bulk.add(now, listed);
    unlisted -= listed;
    const working = pods.filter((from) => from <= now).length;
    const power = working * GOAL.imagesPerSecond;
    // Interactive images go first, but for a fifth that bulk keeps.
    const first = lanes.interactive.take(lanes.bulk.images > 0 ? power * 0.8 : power);
    const second = lanes.bulk.take(power - first);
    labelled += first + second + lanes.interactive.take(power - first - second);
    podSeconds += pods.length;
    const ageS = Math.max(lanes.interactive.ageS(now), lanes.bulk.ageS(now));
    if (ageS > oldest.ageS) oldest = { ageS, second: now };
    if (now % POLL_S === 0) scale(now, working);
    if (now % 60 === 0)
      minutes.push({ hour: now / HOUR_S, ageS, pods: pods.length, wanted: answers.at(-1)?.wanted ?? 0 });
  }
  return { minutes, oldest, labelled, podHours: podSeconds / HOUR_S };

  function scale(now: number, workers: number): void {
    const wanted = wantedPods(
      {
        workers,
        queues: [
          {
            paused: false,
            waiting: lanes.interactive.images,
            due: 0,
            active: 0,
            imagesPerJob: 1,
            oldestAgeS: lanes.interactive.ageS(now),
          },
          {
            paused: false,
            waiting: lanes.bulk.images / CHUNK_SIZE,
            due: 0,
            active: 0,
            imagesPerJob: CHUNK_SIZE,
            oldestAgeS: lanes.bulk.ageS(now),
          },
        ],
      },
      GOAL,
    );
    if (wanted > 0) idleSince = now;
    answers = [...answers.filter(({ second }) => second > now - HOLD_S), { second: now, wanted }];
    const held = Math.min(Math.max(...answers.map((answer) => answer.wanted)), MOST_PODS);
    const least = now - idleSince >= COOLDOWN_S ? 0 : Math.min(1, pods.length);
    const fewest = Math.floor(pods.length * (1 - (FEWER_A_MINUTE * POLL_S) / 60));
    if (Math.abs(held / pods.length - 1) <= TOLERANCE) return;
    const many = Math.max(held, least, held < pods.length && held > 0 ? fewest : 0);
    const more = Math.min(many - pods.length, Math.max(pods.length, 10));
    pods = more > 0 ? [...pods, ...Array.from({ length: more }, () => now + START_S)] : pods.slice(0, many);
  }
}

const { minutes, oldest, labelled, podHours } = liveThroughIt();
const plot = {
  plot: "scaler-day",
  title: "A simulated day: pods, and how old the oldest image is",
  x: "hour",
};
const curve = (line: string, of: (minute: Minute) => number) => ({
  ...plot,
  y: "",
  line,
  points: minutes.map((minute) => [minute.hour, of(minute)] as const),
});
writeFileSync(
  join(import.meta.dirname, "../../docs/bench/scaler-day.svg"),
  linePlot([
    curve("pods", ({ pods }) => pods),
    curve("tens of seconds, oldest image", ({ ageS }) => ageS / 10),
  ]),
);
process.stdout.write(
  `${Math.round(labelled).toLocaleString("en")} images labelled in ${podHours.toFixed(0)} pod hours, of which ${(labelled / GOAL.imagesPerSecond / HOUR_S).toFixed(0)} were work; ` +
    `the oldest was ${oldest.ageS} s old, at ${(oldest.second / HOUR_S).toFixed(2)} h, where ${GOAL.targetS} s are the target.\n`,
);
process.exitCode = oldest.ageS <= GOAL.targetS ? 0 : 1;
