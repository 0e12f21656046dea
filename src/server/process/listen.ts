/** An address on which a server listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** The arguments of `listen`. */
export interface ListenOptions extends ListenAddress {
  /** Number of connections that the kernel accepts before the process does. */
  readonly backlog: number
}

/**
 * The kernel lowers this to its own limit (`net.core.somaxconn`, which is 4096 by default). With Node's 511,
 * connections that arrive during a long turn of the event loop are dropped, and the callers repeat them only after 1, 3
 * and 7 s.
 */
export const backlog = 4096

/** The environment variables from which an address was read. */
export interface AddressVariables {
  readonly host: string
  readonly port: string
}

const ownVariables: AddressVariables = { host: 'HOST', port: 'PORT' }

/** A system error that another address avoids: the reason, and the variable to set. */
interface Reason {
  readonly what: string
  readonly set: keyof AddressVariables
  readonly to: string
}

const anotherPort = { set: 'port', to: 'another port, or to 0 for any free port' } as const
const anotherHost = { set: 'host', to: 'an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all' } as const

/** System errors that can be fixed with another host or port. */
const reasons: Readonly<Record<string, Reason>> = {
  EADDRINUSE: { what: 'the port is in use', ...anotherPort },
  EACCES: { what: 'the process is not allowed to use the port', set: 'port', to: '1024 or above' },
  EADDRNOTAVAIL: { what: 'the machine does not have this address', ...anotherHost },
  EAFNOSUPPORT: { what: 'the machine does not support this kind of address', ...anotherHost },
  EINVAL: { what: 'the address is not valid here', ...anotherHost },
  ENOTFOUND: { what: 'the host name has no address', ...anotherHost },
  EAI_AGAIN: { what: 'the host name cannot be resolved', ...anotherHost },
}

/**
 * Makes a server listen.
 *
 * @param listen - Starts listening at the address.
 * @param variables - The variables that the error message names. @default `HOST` and `PORT`
 * @returns The result of `listen`.
 * @throws An error with the system's code, whose message names the address, the reason and the variable to set.
 */
export async function listenAt<T>(
  { host, port }: ListenAddress,
  listen: (options: ListenOptions) => Promise<T>,
  variables = ownVariables,
): Promise<T> {
  try {
    return await listen({ host, port, backlog })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined
    if (reason === undefined) throw error
    const shown = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    const fix = `set ${variables[reason.set]} to ${reason.to}`
    const message = `cannot listen at ${shown}: ${reason.what} (${code}); ${fix}`
    throw Object.assign(new Error(message, { cause: error }), { code })
  }
}
