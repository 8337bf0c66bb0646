/** The trace that a request belongs to, by its `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header); undefined without a valid one. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const [, version, traceId, parentId, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(traceparent ?? "") ?? [];
  const isVersion = version !== "ff" && (version !== "00" || rest === undefined);
  const isNone = /^0+$/;
  if (traceId === undefined || parentId === undefined || !isVersion) return undefined;
  return isNone.test(traceId) || isNone.test(parentId) ? undefined : traceId;
}
