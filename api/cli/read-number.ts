import { UsageError } from "./command.ts";

/** A whole number from 1 to `maximum`. Throws UsageError. */
export function readWhole(option: string, text: string, maximum: number): number {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > maximum)
    throw new UsageError(`${option} must be a whole number from 1 to ${maximum}; it is "${text}".`);
  return Number(text);
}

/** A number that is not negative, such as `0.5`. Throws UsageError. */
export function readDecimal(option: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new UsageError(`${option} must be a number such as 0.5; it is "${text}".`);
  return Number(text);
}
