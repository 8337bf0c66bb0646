// Preloaded into a process whose clock is to jump: its Date is off by as many milliseconds as the file says whose name is in
// CHAOS_CLOCK_FILE. Timers and performance.now() go on as they do when a machine's clock is set.
import { readFileSync } from "node:fs";

const file = process.env["CHAOS_CLOCK_FILE"];
if (file === undefined) throw new Error("CHAOS_CLOCK_FILE is not set.");

const LOOK_MS = 100;
let offsetMs = 0;
const look = () => {
  try {
    offsetMs = Number(readFileSync(file, "utf8"));
  } catch {
    offsetMs = 0;
  }
};
look();
setInterval(look, LOOK_MS).unref();

const RealDate = Date;
const now = () => RealDate.now() + offsetMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (date, given, target) =>
    Reflect.construct(date, given.length === 0 ? [now()] : given, target) as Date,
  get: (date, name) => (name === "now" ? now : (Reflect.get(date, name) as unknown)),
});
