import { randomBytes } from 'node:crypto'
import type { Partition } from '../../core/partition.ts'
import { ignoreRejection } from '../../core/promises.ts'
import { redisCloseMs } from '../../core/redis-close.ts'
import type { Replicas } from '../../upstream/shared-state.ts'
import type { Commands } from '../commands/commands.ts'
import { leaveScript, memberScript } from './limit-scripts.ts'

/** The time between two heartbeats, in ms. It varies by a tenth, so that many processes do not send them together. */
const heartbeatMs = 1000

/** A process without a heartbeat for this time is not a member, in ms. */
const lifetimeMs = 3000

/** The time after an outage in which each process connects again and sends a heartbeat, in ms. */
const returnMs = 5000

export interface MembersOptions {
  readonly commands: Pick<Commands, 'isReachable' | 'script' | 'onAvailable'>
  /** The key of the members. */
  readonly key: string
  /** The name of the service, which all its workers have in common. */
  readonly service: string
  /** The time that a command waits for its reply, in ms. */
  readonly patienceMs: number
  /** The number of processes of the service. They count before they are seen. @default 1 */
  readonly ownProcesses?: number
}

/**
 * The live replicas of a service, by the heartbeats of their processes. A member is `SERVICE/PROCESS`. The members of
 * one service are one replica.
 */
export class Members implements Replicas {
  readonly #options: MembersOptions
  readonly #member: string
  readonly #listeners = new Set<() => void>()
  readonly #ownProcesses: number
  #members: ReadonlySet<string>
  #processes: number
  #services: Partition = { index: 0, count: 1 }
  /** Until this time no member is removed, in ms of `performance.now()`. */
  #settledAt = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: MembersOptions) {
    this.#options = options
    this.#processes = this.#ownProcesses = options.ownProcesses ?? 1
    this.#member = `${options.service}/${randomBytes(8).toString('hex')}`
    this.#members = new Set([this.#member])
    options.commands.onAvailable(async () => {
      // Members expire during an outage, and return at different times.
      if (this.#members.size > 1) this.#settledAt = performance.now() + returnMs
      await this.#beat()
    })
    this.#beatLater()
  }

  get services(): Partition {
    return this.#services
  }

  get processes(): number {
    return this.#processes
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Leaves the members. Waits at most `redisCloseMs` for the server. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#isClosed = true
    this.#listeners.clear()
    const { commands, key, patienceMs: given } = this.#options
    const patienceMs = Math.min(given, redisCloseMs)
    // A process that cannot leave is removed after its lifetime.
    await commands.script(leaveScript, [key], [this.#member], { patienceMs }).catch(() => {})
  }

  #beatLater(): void {
    this.#timer = setTimeout(
      () => {
        // The outage of a store is found by its probe.
        if (this.#options.commands.isReachable) ignoreRejection(this.#beat())
        this.#beatLater()
      },
      heartbeatMs * (0.9 + 0.2 * Math.random()),
    )
    this.#timer.unref()
  }

  async #beat(): Promise<void> {
    // The store can become reachable after the process has left.
    if (this.#isClosed) return
    const { commands, key } = this.#options
    const [members] = await commands.script(memberScript, [key], [this.#member, String(lifetimeMs)], { check: isList })
    if (!this.#isClosed) this.#see(members as readonly string[])
  }

  #see(members: readonly string[]): void {
    const isSettled = performance.now() >= this.#settledAt
    const seen = new Set([this.#member, ...members, ...(isSettled ? [] : this.#members)])
    if (seen.size === this.#members.size && Array.from(seen).every(member => this.#members.has(member))) return
    this.#members = seen
    const others = Array.from(seen).filter(member => serviceOf(member) !== this.#options.service).length
    this.#processes = others + Math.max(this.#ownProcesses, seen.size - others)
    const services = [...new Set(Array.from(seen, serviceOf))].toSorted()
    this.#services = { index: services.indexOf(serviceOf(this.#member)), count: services.length }
    for (const listener of this.#listeners) listener()
  }
}

function isList(reply: unknown): boolean {
  const [members] = reply as readonly unknown[]
  return Array.isArray(members) && members.every(member => typeof member === 'string')
}

function serviceOf(member: string): string {
  return member.slice(0, member.lastIndexOf('/'))
}
