import type { Metrics } from '../metrics/metrics.ts'
import { UpstreamMetrics } from '../metrics/upstream-metrics.ts'
import { createClient, type Client, type ClientServices } from './client.ts'
import type { ClientListeners } from './client-events.ts'
import { operationsOf } from './declared-specs.ts'
import { isUnchanged, type EffectiveUpstream } from './effective-upstream.ts'

/** A runtime as a user of clients. */
export interface ClientUser {
  /** The place of the runtime in its lineage. A later runtime has a higher number. */
  readonly generation: number
  readonly listeners: ClientListeners
}

export interface SharedClientsOptions {
  readonly services: ClientServices
  readonly metrics: Metrics
  /** Returns true for the runtime whose definitions are served now. */
  readonly isCurrent: (user: ClientUser) => boolean
}

/** A client and the runtimes that use it: at least one. Its events are sent to the latest of them. */
interface OpenClient {
  readonly upstream: EffectiveUpstream
  readonly client: Client
  readonly users: Set<ClientUser>
}

/**
 * The open clients of runtimes that follow each other. Runtimes that call an unchanged upstream use one client. A
 * client is open while it has a user: the last user that releases it removes and closes it, so that no other runtime
 * gets it.
 */
export class SharedClients {
  readonly #options: SharedClientsOptions
  readonly #open = new Set<OpenClient>()

  constructor(options: SharedClientsOptions) {
    this.#options = options
  }

  /** Returns the client of an upstream for a user: one that another user has for the same upstream, or a new one. */
  acquire(user: ClientUser, upstream: EffectiveUpstream): Client {
    return this.acquireOpen(user, upstream) ?? this.#create(user, upstream)
  }

  /** Returns the client that another user has for the same upstream, or `undefined`. */
  acquireOpen(user: ClientUser, upstream: EffectiveUpstream): Client | undefined {
    for (const open of this.#open) {
      // Two declarations in one runtime never share a client, even if they are equal.
      if (open.users.has(user) || !isUnchanged(open.upstream, upstream)) continue
      open.users.add(user)
      return open.client
    }
    return undefined
  }

  /** Releases all clients of a user. Resolves when those without another user have closed. */
  async release(user: ClientUser): Promise<void> {
    const unused: OpenClient[] = []
    for (const open of this.#open) {
      if (!open.users.has(user)) continue
      // A client that closes keeps its last user, which receives its last events.
      if (open.users.size > 1) open.users.delete(user)
      else unused.push(open)
    }
    for (const open of unused) this.#open.delete(open)
    await Promise.all(unused.map(({ client }) => client.close()))
  }

  #create(user: ClientUser, upstream: EffectiveUpstream): Client {
    const { services, metrics, isCurrent } = this.#options
    const { declared, spec, address } = upstream
    const users = new Set([user])
    const counts = new UpstreamMetrics(metrics, spec, address.url)
    const client = createClient(upstream, services, {
      listeners: {
        onBreakerChange: change => latest(users).listeners.onBreakerChange(change),
        onOriginChange: change => latest(users).listeners.onOriginChange(change),
        onCacheStoreFault: fault => latest(users).listeners.onCacheStoreFault(fault),
        onToken: token => latest(users).listeners.onToken(token),
      },
      metrics: counts,
      isCurrent: () => isCurrent(latest(users)),
    })
    // All series of calls that rate() needs from 0 on exist from now on.
    for (const operation of operationsOf(declared)) counts.of(operation)
    this.#open.add({ upstream, client, users })
    return client
  }
}

/** Returns the user with the highest number. */
function latest(users: ReadonlySet<ClientUser>): ClientUser {
  return [...users].reduce((last, user) => (user.generation > last.generation ? user : last))
}
