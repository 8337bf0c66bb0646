import { ConfigError } from "./config.ts";

/** An address to listen at, and the variables that say so. */
export interface ListenAddress {
  host: string;
  port: number;
  variables: { host: string; port: string };
}

/** Why nothing can listen at an address, as a ConfigError that names the variable to change. */
export function listenFault(error: NodeJS.ErrnoException, address: ListenAddress): ConfigError {
  return new ConfigError(FAULTS[error.code ?? ""]?.(address) ?? error.message, { cause: error });
}

const notHere = ({ host, variables }: ListenAddress) =>
  `${host} is not an address of this machine; set ${variables.host} to one that is.`;

const FAULTS: Record<string, (address: ListenAddress) => string> = {
  EADDRINUSE: ({ host, port, variables }) =>
    `Port ${port} of ${host} is taken; set ${variables.port} to another.`,
  EACCES: ({ port, variables }) =>
    `Port ${port} may not be opened by this user; set ${variables.port} to one from 1024.`,
  EADDRNOTAVAIL: notHere,
  ENOTFOUND: notHere,
};
