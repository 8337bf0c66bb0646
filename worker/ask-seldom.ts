/** Milliseconds for which an answer does, and after which nobody waits for one any longer. */
const FRESH_MS = 5_000;
const PATIENCE_MS = 2_000;

/**
 * Asks at most once in five seconds, and never twice at a time, however often the answer is wanted. It is undefined when
 * asking fails or lasts longer than two seconds.
 */
export function askSeldom<Answer>(ask: () => Promise<Answer>): () => Promise<Answer | undefined> {
  let known: { answer: Answer; at: number } | undefined;
  let asking: Promise<Answer | undefined> | undefined;
  const askNow = async () => {
    try {
      const answer = await ask();
      known = { answer, at: performance.now() };
      return answer;
    } catch {
      return undefined;
    } finally {
      asking = undefined;
    }
  };
  return async () => {
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return known.answer;
    asking ??= askNow();
    const { promise: late, resolve: giveUp } = Promise.withResolvers<undefined>();
    const timer = setTimeout(giveUp, PATIENCE_MS, undefined);
    return Promise.race([asking, late]).finally(() => clearTimeout(timer));
  };
}
