import { hash } from 'node:crypto'

/** The version of the stored forms. Raise it with every change of one: replicas of two versions share nothing. */
const formVersion = 1

/** The names of the keys of one service. The braces of a cache key put all keys of one URI into one slot of a cluster. */
export interface Keys {
  /** The entry of a key. Keys and URIs are stored names. */
  entry(epoch: string, uri: string, key: string): string
  generation(epoch: string, uri: string): string
  /** A key that never exists, in the slot of a URI. A lookup deletes it, so that it is a write. */
  uriProbe(epoch: string, uri: string): string
  /** The lease of the call that fills an entry of a generation. */
  lease(epoch: string, uri: string, key: string, generation: string): string
  /** The window of an inbound client. The key contains a hash, because a client can be an API key. */
  readonly client: (client: string) => string
  readonly budget: (upstream: string) => string
  /** The live processes. */
  readonly members: string
  /** The mark that processes have used an epoch. */
  readonly epochMark: (epoch: string) => string
  /** A key that never exists. The probe deletes it to test that the server accepts writes. */
  readonly probe: string
  /** The channel of invalidated URIs. */
  readonly invalidations: string
}

/** Returns the keys of the service with a prefix. */
export function keysOf(prefix: string): Keys {
  const start = `${prefix}:${formVersion}`
  const ofUri = (epoch: string, uri: string) => `${start}:${epoch}:{${uri}}`
  return {
    entry: (epoch, uri, key) => `${ofUri(epoch, uri)}:e:${key}`,
    generation: (epoch, uri) => `${ofUri(epoch, uri)}:g`,
    uriProbe: (epoch, uri) => `${ofUri(epoch, uri)}:p`,
    lease: (epoch, uri, key, generation) => `${ofUri(epoch, uri)}:l:${key}:${generation}`,
    client: client => `${start}:r:${hash('sha256', client, 'base64url')}`,
    budget: upstream => `${start}:b:${upstream}`,
    members: `${start}:m`,
    epochMark: epoch => `${start}:${epoch}:s`,
    probe: `${start}:p`,
    invalidations: `${start}:i`,
  }
}
