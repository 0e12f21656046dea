/** The address on which a server listens, from `HOST` and `PORT`. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

interface Reason {
  readonly what: string
  readonly fix: string
}

const anotherPort = 'set PORT to another port, or to 0 for any free port'
const anotherHost = 'set HOST to an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all'

/** System errors that can be fixed with another `HOST` or `PORT`. */
const reasons: Readonly<Record<string, Reason>> = {
  EADDRINUSE: { what: 'the port is in use', fix: anotherPort },
  EACCES: { what: 'the process is not allowed to use the port', fix: 'set PORT to 1024 or above' },
  EADDRNOTAVAIL: { what: 'the machine does not have this address', fix: anotherHost },
  EAFNOSUPPORT: { what: 'the machine does not support this kind of address', fix: anotherHost },
  EINVAL: { what: 'the address is not valid here', fix: anotherHost },
  ENOTFOUND: { what: 'the host name has no address', fix: anotherHost },
  EAI_AGAIN: { what: 'the host name cannot be resolved', fix: anotherHost },
}

/**
 * Makes a server listen.
 *
 * @param listen - Starts listening at the address.
 * @returns The result of `listen`.
 * @throws An error with the system's code, whose message names the address, the reason and the variable to set.
 */
export async function listenAt<T>(address: ListenAddress, listen: (address: ListenAddress) => Promise<T>): Promise<T> {
  const { host, port } = address
  try {
    return await listen({ host, port })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined
    if (reason === undefined) throw error
    const shown = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    const message = `cannot listen at ${shown}: ${reason.what} (${code}); ${reason.fix}`
    throw Object.assign(new Error(message, { cause: error }), { code })
  }
}
