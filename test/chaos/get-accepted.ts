import { violate } from "./checking.ts";
import type { Checking } from "./checking.ts";

/** What a request was answered with, however often it was sent: its one id, and what `GET` says of that. Undefined when that breaks a promise, which is noted. */
export async function getAccepted(
  asked: { key: string; ids: ReadonlySet<string> },
  path: string,
  checking: Checking,
): Promise<{ id: string; text: string } | undefined> {
  const [id, ...others] = asked.ids;
  if (others.length > 0) {
    const all = [...asked.ids].join(" and ");
    violate(checking, "a request is done once", asked.key, `was answered with ${all}`);
  }
  if (id === undefined) {
    violate(checking, "everything else", asked.key, "was never accepted");
    return undefined;
  }
  const { status, text } = await checking.get(`${path}/${id}`);
  if (status === 200) return { id, text };
  violate(checking, "an accepted id ends", id, `GET is answered ${status}: ${text}`);
  return undefined;
}
