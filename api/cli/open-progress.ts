import { Presets, SingleBar } from "cli-progress";
import { printDuration } from "./print-duration.ts";

/** Milliseconds between lines where there is no terminal to draw on. */
const LINE_MS = 5_000;

/** Shows a person how far something is. */
export interface Progress {
  /** So many of all that are known so far have ended. */
  update: (ended: number, total: number) => void;
  stop: () => void;
}

/** Progress of `things` on `stream`: a bar that is drawn over and over on a terminal, else a line every few seconds. */
export function openProgress(stream: NodeJS.WriteStream, things: "images" | "jobs" = "images"): Progress {
  let first: { ended: number; at: number } | undefined;
  /** What is told beside the numbers, of the images since it was first told. */
  const pace = (ended: number, total: number): string => {
    const now = performance.now();
    first ??= { ended, at: now };
    const seconds = (now - first.at) / 1_000;
    const rate = (ended - first.ended) / seconds;
    if (seconds < 1 || rate === 0) return "";
    const left = ended < total ? `, ${printDuration((total - ended) / rate)} left` : "";
    return `, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} ${things}/s${left}`;
  };
  return stream.isTTY ? openBar(stream, things, pace) : openLines(stream, things, pace);
}

type Pace = (ended: number, total: number) => string;

function openBar(stream: NodeJS.WriteStream, things: string, pace: Pace): Progress {
  const format = `{bar} {value} of {total} ${things}{pace}`;
  const options = { format, stream, barsize: 16, clearOnComplete: true, gracefulExit: false };
  const bar = new SingleBar(options, Presets.shades_classic);
  return {
    update(ended, total) {
      if (total === 0) return;
      if (!bar.isActive) bar.start(total, ended, { pace: "" });
      bar.setTotal(total);
      bar.update(ended, { pace: pace(ended, total) });
    },
    stop: () => bar.stop(),
  };
}

function openLines(stream: NodeJS.WriteStream, things: string, pace: Pace): Progress {
  let toldAt = -Infinity;
  let untold = "";
  const tell = () => {
    stream.write(untold);
    untold = "";
    toldAt = performance.now();
  };
  return {
    update(ended, total) {
      if (total === 0) return;
      untold = `${ended} of ${total} ${things}${pace(ended, total)}\n`;
      if (performance.now() - toldAt >= LINE_MS) tell();
    },
    stop: tell,
  };
}
