import type { TestApi } from "../../support/test-api.ts";
import type { Visitor } from "./visit.ts";

/** The first event of a stream that makes a page live: HTML by the id of its element. */
export async function firstEvent(
  api: TestApi,
  { cookie }: Pick<Visitor, "cookie">,
  path: string,
): Promise<Record<string, string>> {
  const { body, status } = await api.app.request(path, { headers: { cookie } });
  if (body === null) throw new Error(`${path} answered ${status} and no stream.`);
  let text = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n\n")) break;
  }
  const data = /^data: (.*)$/m.exec(text)?.[1];
  if (data === undefined) throw new Error(`${path} told no event: ${text}`);
  return JSON.parse(data) as Record<string, string>;
}
