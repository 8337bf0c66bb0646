/** The longest a request may wait for its result, in seconds. */
export const MAX_WAIT_S = 60;

/** Seconds to wait by a `Prefer` header (RFC 7240): `wait=10`; 0 when it asks for none or for nonsense. More than a minute counts as a minute. */
export function preferredWaitS(prefer: string | undefined): number {
  const seconds = /(?:^|[,;\s])wait\s*=\s*("?)(\d+)\1\s*(?=[,;]|$)/i.exec(prefer ?? "")?.[2];
  return Math.min(Number(seconds ?? 0), MAX_WAIT_S);
}
