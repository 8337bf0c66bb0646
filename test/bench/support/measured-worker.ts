import { monitorEventLoopDelay } from "node:perf_hooks";

/** What a measured worker tells when it is asked. Sizes in bytes, times in milliseconds; the lag since it was asked before. */
export interface Vitals {
  rss: number;
  heapUsed: number;
  lag: { p50: number; p99: number; max: number };
}

// The entry of a worker process as it is in production, which besides watches itself and tells when it is asked.
const lag = monitorEventLoopDelay({ resolution: 1 });
lag.enable();
process.on("message", () => {
  const { rss, heapUsed } = process.memoryUsage();
  const vitals: Vitals = {
    rss,
    heapUsed,
    lag: { p50: lag.percentile(50) / 1e6, p99: lag.percentile(99) / 1e6, max: lag.max / 1e6 },
  };
  lag.reset();
  process.send?.(vitals);
});
await import("../../../worker/main.ts");
