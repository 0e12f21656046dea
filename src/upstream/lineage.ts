import { lookup as systemLookup } from 'node:dns'
import { DnsMetrics } from '../metrics/dns-metrics.ts'
import { Metrics } from '../metrics/metrics.ts'
import { readSharedState } from '../metrics/readings.ts'
import { processSource } from '../metrics/runtime-metrics.ts'
import type { Client } from './client.ts'
import type { ClientListeners } from './client-events.ts'
import { createRecords, type Records } from './connect/records.ts'
import { createResolve } from './connect/resolve.ts'
import type { EffectiveUpstream } from './effective-upstream.ts'
import { Invalidations } from './policies/cache/invalidations.ts'
import type { RuntimeOptions } from './runtime-options.ts'
import { SharedClients, type ClientUser } from './shared-clients.ts'

/** The options of a runtime that all runtimes of its lineage share. */
export type LineageOptions = Pick<RuntimeOptions, 'lookup' | 'dnsServers' | 'cacheStore' | 'shared'>

/** A runtime as a member of its lineage. */
export interface Member {
  /** Returns the client of an upstream. It is open until the member leaves. */
  acquire(upstream: EffectiveUpstream): Client
  /** Returns the client that another member has for the same upstream, or `undefined`. */
  acquireOpen(upstream: EffectiveUpstream): Client | undefined
  /** Releases all clients. Resolves when those that no other member uses have closed. */
  leave(): Promise<void>
}

/**
 * The parts that runtimes share when they follow each other at reloads: the clients of unchanged upstreams, the
 * metrics, the name resolution and the invalidations. A runtime without a predecessor is the first of a lineage.
 */
export class Lineage {
  readonly metrics = new Metrics()
  readonly source = processSource(this.metrics)
  /** True if the replicas share state. */
  readonly sharesState: boolean
  readonly #clients: SharedClients
  readonly #invalidations: Invalidations
  /** The members that have not left, the earliest first. */
  readonly #members: ClientUser[] = []
  #joined = 0
  #records: Records | undefined

  constructor({ lookup, dnsServers, shared, cacheStore = shared?.cacheStore }: LineageOptions) {
    const { metrics } = this
    this.sharesState = shared !== undefined
    this.#invalidations = new Invalidations({ shared: cacheStore })
    const dns = new DnsMetrics(metrics)
    const ended = (ms: number, code: string) => dns.ended(ms, code)
    const resolve = createResolve(lookup ?? systemLookup, undefined, ended)
    const records = () =>
      (this.#records ??= createRecords({ servers: dnsServers, resolve, hasOwnLookup: lookup !== undefined, ended }))
    this.#clients = new SharedClients({
      services: { resolve, records, cacheStore, invalidations: this.#invalidations, shared },
      metrics,
      isCurrent: user => user === this.#members.at(-1),
    })
    if (shared !== undefined) readSharedState(metrics, () => shared.gauge())
  }

  /** Adds a runtime as the latest member. */
  join(listeners: ClientListeners): Member {
    const user: ClientUser = { generation: ++this.#joined, listeners }
    this.#members.push(user)
    return {
      acquire: upstream => this.#clients.acquire(user, upstream),
      acquireOpen: upstream => this.#clients.acquireOpen(user, upstream),
      leave: () => this.#leave(user),
    }
  }

  async #leave(user: ClientUser): Promise<void> {
    this.#members.splice(this.#members.indexOf(user), 1)
    const isLast = this.#members.length === 0
    if (isLast) this.#records?.cancel()
    await this.#clients.release(user)
    if (isLast) this.#invalidations.close()
  }
}
