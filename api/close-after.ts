/** Passes a response on and calls `close` once its body has been sent, or nobody reads it any more; `waitUntil` keeps the platform waiting for that. */
export function closeAfter(
  response: Response,
  close: () => Promise<void>,
  waitUntil: (work: Promise<unknown>) => void,
): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const sent = response.body === null ? Promise.resolve() : response.body.pipeTo(writable);
  waitUntil(sent.catch(() => {}).then(close));
  return new Response(response.body && readable, response);
}
