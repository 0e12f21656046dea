import { ignoreRejection } from '../../core/promises.ts'
import type { PoolGauge } from '../transport/pool.ts'
import type { Transport } from '../transport/transport.ts'
import type { OpenOrigin } from './open-origin.ts'
import type { Balancer, Endpoint, Member } from './types.ts'

export interface OpenOriginsOptions {
  readonly balancer: Balancer<OpenOrigin>
  /** Opens the transport to an origin. */
  readonly open: (endpoint: Endpoint) => OpenOrigin
  /** Called with each origin that has joined. */
  readonly joined: (member: Member<OpenOrigin>) => void
}

/**
 * The origins with a transport: the members of the balancer, and those that have left it. An origin that has left gets
 * no further attempt. Its transport is closed when its last attempt has ended.
 */
export class OpenOrigins {
  readonly #options: OpenOriginsOptions
  /** The members that have left the balancer and have attempts in flight. */
  readonly #leaving = new Set<Member<OpenOrigin>>()
  /** The connections that were opened by transports that are closed. */
  #openedBefore = 0

  constructor(options: OpenOriginsOptions) {
    this.#options = options
  }

  /** Replaces the origins of the balancer. */
  set(endpoints: readonly Endpoint[]): void {
    const { balancer, open, joined } = this.#options
    const before = new Set(balancer.members)
    const left = balancer.set(endpoints, open)
    for (const member of balancer.members) if (!before.has(member)) joined(member)
    for (const member of left) {
      ignoreRejection(member.value.healthCheck?.close())
      if (member.gauge.active === 0) this.#close(member)
      else this.#leaving.add(member)
    }
  }

  /** Records that an attempt no longer uses the transport of its origin. */
  released(member: Member<OpenOrigin>): void {
    this.#options.balancer.released(member)
    if (this.#leaving.has(member) && member.gauge.active === 0) {
      this.#leaving.delete(member)
      this.#close(member)
    }
  }

  #close({ value: { transport } }: Member<OpenOrigin>): void {
    this.#openedBefore += transport.connections().opened
    ignoreRejection(transport.close())
  }

  get transports(): readonly Transport[] {
    return [...this.#options.balancer.members, ...this.#leaving].map(({ value }) => value.transport)
  }

  /** Returns the numbers of connections of all transports. */
  connections(): PoolGauge {
    let active = 0
    let idle = 0
    let opened = this.#openedBefore
    for (const transport of this.transports) {
      const gauge = transport.connections()
      active += gauge.active
      idle += gauge.idle
      opened += gauge.opened
    }
    return { active, idle, opened }
  }

  close(): Promise<unknown> {
    const checks = this.#options.balancer.members.map(({ value }) => value.healthCheck?.close())
    return Promise.all([...checks, ...this.transports.map(transport => transport.close())])
  }
}
