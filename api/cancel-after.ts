import { AppError } from "../shared/errors.ts";

const MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** A day: longer than anybody waits for a label, shorter than a timer may run. */
const LONGEST_MS = 24 * 3_600_000;

/** Milliseconds of a `Cancel-After` header: `30s`, `5m` or `2h`; undefined without one. Throws AppError invalid_request for anything else. */
export function cancelAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, number, unit] = /^(\d{1,6})([smh])$/.exec(header.trim()) ?? [];
  const ms = Number(number) * (MS[unit ?? ""] ?? NaN);
  if (ms >= 1_000 && ms <= LONGEST_MS) return ms;
  const detail = "must be a time such as 30s, 5m or 2h, from one second to a day";
  throw new AppError("invalid_request", `Cancel-After ${detail}.`, [
    { header: "cancel-after", detail, code: "invalid_format" },
  ]);
}
