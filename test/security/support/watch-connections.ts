import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** What this process tried to connect to since the watch began. */
export interface ConnectionWatch {
  /** The addresses in the order in which they were tried, whether or not anybody answered there. */
  attempts: string[];
  stop: () => void;
}

/** Watches every connection that Node opens, whoever opens it, so that an attempt at an address where nobody listens is seen too. */
export function watchConnections(): ConnectionWatch {
  const attempts: string[] = [];
  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.on("connectionAttempt", (address: string) => attempts.push(address));
  };
  subscribe("net.client.socket", watch);
  return { attempts, stop: () => unsubscribe("net.client.socket", watch) };
}
