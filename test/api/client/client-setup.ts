import { TreslineError } from "../../../api/client/client.ts";
import { readFigure } from "../support/figures.ts";

/** A picture of a bar chart. */
export const figure = () => new Blob([readFigure("bar_chart_06.png")], { type: "image/png" });

/** The answer of a service that is busy. */
export const busy = (headers: Record<string, string> = {}, status = 503) =>
  new Response("busy", { status, headers });

/** The client's error that a promise is rejected with. Throws when there is none. */
export const troubleOf = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TreslineError)) throw new Error(`There was no TreslineError: ${String(error)}`);
  return error;
};
