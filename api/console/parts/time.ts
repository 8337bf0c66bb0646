import { html } from "hono/html";
import type { Html } from "../page.ts";

const UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
] as const;

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

/**
 * How long ago a time (RFC 3339) was, or how soon it is, and the time itself to whoever points at it; a dash for null. It
 * counts no seconds, so that what is live does not change each second.
 */
export function timeAgo(time: string | null): Html {
  if (time === null) return html`<span class="soft">–</span>`;
  const seconds = (Date.parse(time) - Date.now()) / 1_000;
  const found = UNITS.find((each) => Math.abs(seconds) >= each.seconds);
  // The clock of whoever noted it may go a little fast.
  const soon = seconds > 5 ? "in a moment" : "just now";
  const told = found ? words.format(Math.round(seconds / found.seconds), found.unit) : soon;
  return html`<time datetime="${time}" title="${time}">${told}</time>`;
}

/** The same of a time among facts, which leave out what there is not. */
export const timeOrNothing = (time: string | null): Html | undefined =>
  time === null ? undefined : timeAgo(time);

/** Milliseconds as a person reads them: `41 ms`, `1.3 s`, `4 min 10 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
