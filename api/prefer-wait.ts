/** The longest a request may wait for its result, in seconds. */
export const MAX_WAIT_S = 60;

/**
 * Seconds to wait by a `Prefer` header (RFC 7240): `wait=10`; 0 when it asks for none or for nonsense. More than a minute, or than
 * `maxAnswerS` unless that is 0, counts as no more than that.
 */
export function preferredWaitS(prefer: string | undefined, maxAnswerS: number): number {
  const longest = maxAnswerS === 0 ? MAX_WAIT_S : Math.min(maxAnswerS, MAX_WAIT_S);
  const seconds = /(?:^|[,;\s])wait\s*=\s*("?)(\d+)\1\s*(?=[,;]|$)/i.exec(prefer ?? "")?.[2];
  return Math.min(Number(seconds ?? 0), longest);
}
