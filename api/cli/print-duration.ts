/** A time of so many seconds for a person: `80 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`. */
export function printDuration(seconds: number): string {
  if (seconds < 0.95) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
