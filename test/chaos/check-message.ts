import { isDeepStrictEqual } from "node:util";
import { Event } from "../../shared/contracts/event.ts";
import { messageId } from "../../shared/new-id.ts";
import { count, violate } from "./checking.ts";
import type { Checking } from "./checking.ts";
import type { Delivery } from "./outside.ts";

/** A message that must have come: about which resource, as GET tells it, and to which address. */
interface Expected {
  resource: { id: string };
  type: string;
  url: string;
}

/** Looks for messages about what nobody asked for. */
export function checkStrayMessages(checking: Checking): void {
  for (const delivery of checking.deliveries)
    if (!checking.accounted.has(delivery))
      violate(
        checking,
        "a message has one id",
        delivery.messageId,
        `is about nothing known: ${delivery.body}`,
      );
}

const isAbout = ({ body }: Delivery, id: string) => Event.parse(JSON.parse(body)).data["id"] === id;

/** Accounts for the one message that an address was to get: it came, signed, under one id, with the same bytes each time, and tells what GET tells. */
export async function checkMessage({ resource, type, url }: Expected, checking: Checking): Promise<void> {
  const { id } = resource;
  const path = new URL(url).pathname;
  const came = checking.deliveries.filter((delivery) => delivery.path === path && isAbout(delivery, id));
  for (const delivery of came) checking.accounted.add(delivery);
  const ids = new Set(came.map((delivery) => delivery.messageId));
  const derived = await messageId(id, type, url);
  if (!came.some(({ isTaken }) => isTaken))
    violate(checking, "an accepted id ends", id, `${type} was never delivered to ${path}`);
  if (ids.size > 1)
    violate(checking, "a message has one id", id, `${type} came as ${[...ids].join(" and ")}`);
  for (const { fault, messageId: cameAs } of came) {
    if (fault !== undefined)
      violate(checking, "everything else", cameAs, `its signature does not hold: ${fault}`);
    if (cameAs !== derived)
      violate(checking, "a message has one id", id, `${type} came as ${cameAs}, not ${derived}`);
  }
  const bodies = new Set(came.map(({ body }) => body));
  if (bodies.size > 1)
    violate(
      checking,
      "an id has one result",
      id,
      `${type} was told differently: ${[...bodies].join(" and ")}`,
    );
  for (const body of bodies) {
    const event = Event.parse(JSON.parse(body));
    if (event.type !== type || !isDeepStrictEqual(event.data, structuredClone(resource)))
      violate(
        checking,
        "an id has one result",
        id,
        `GET says ${JSON.stringify(resource)}, its message ${body}`,
      );
  }
  count(checking, "messages");
  count(checking, "messages that came more than once", Number(came.length > 1));
}
