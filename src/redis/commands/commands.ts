import { Availability, epochChangeMs, type AvailabilityChange } from './availability.ts'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'
import { CommandTimers, withinPatience } from './pending-command.ts'
import { ageOfEpoch, readEpoch, testWrite } from './probe.ts'
import { evalsha, evaluate, isReplyFor, type Script } from './script.ts'
import { StoreBreaker, type CommandClass } from './store-breaker.ts'
import { effectOf, reasonOf, replyCodeOf, StoreLate, StoreReplyInvalid, StoreUnavailable } from './store-errors.ts'

export type { CommandClass } from './store-breaker.ts'

/** The shortest time that a probe waits for each reply, in ms. A probe waits at least as long as a command. */
const leastProbePatienceMs = 250

/**
 * The time in which a client connects again after an outage, in ms. A client of `serve` needs up to 2 s for its pause
 * and 2 s to connect.
 */
const reconnectMs = 4500

/** The largest number of commands without a reply. A stopped server would let them grow without an end. */
const maxInFlight = 1000
/** The number of invalidations beyond it. Many lookups and leases must not keep an invalidation from being sent. */
const extraInvalidations = 1000

const unavailable = new StoreUnavailable()

/** Options of one command. */
export interface CommandOptions {
  /** The time that the caller waits, in ms. @default the option `patience` */
  readonly patienceMs?: number
  /** Returns true for a reply of the right form. Any other reply is a failure of the server. @default each reply is accepted */
  readonly check?: (reply: unknown) => boolean
}

/** Options of one script. */
export interface ScriptCommandOptions extends Pick<CommandOptions, 'patienceMs'> {
  /** Returns true for a reply of the right form, without the key. @default each reply is accepted */
  readonly check?: (reply: readonly unknown[]) => boolean
  /**
   * Sends the script also if there are as many commands without a reply as lookups and leases may have.
   * @default false
   */
  readonly isInvalidation?: boolean
}

const noOptions = {}

export interface CommandsOptions {
  readonly connection: Connection
  readonly keys: Keys
  /** The time that a command waits for its reply, in ms. */
  readonly patienceMs: number
  /**
   * The time from the end of an outage until the cache is used, in ms.
   * @default 5000. With a longer patience 4500 and two times the patience, or 3000 and three times if that is more
   */
  readonly settleMs?: number
  readonly onChange: (change: AvailabilityChange) => void
}

/** The commands by result. `skipped`: the store was unavailable and nothing was sent. */
export interface CommandCounts {
  ok: number
  failed: number
  late: number
  skipped: number
}

/**
 * Sends commands to the shared store. No command waits for a connection, for a server that is unavailable, or longer
 * than its patience. A late command can still be executed, so each one must be harmless then.
 */
export class Commands {
  readonly counts: CommandCounts = { ok: 0, failed: 0, late: 0, skipped: 0 }
  readonly #connection: Connection
  readonly #patienceMs: number
  readonly #breaker = new StoreBreaker()
  readonly #timers = new CommandTimers()
  readonly #availability: Availability
  readonly #onAvailable: (() => Promise<void>)[] = []
  readonly #onUnavailable: (() => void)[] = []
  /** The commands without a reply whose callers no longer wait. */
  readonly #overdue = new Set<Promise<unknown>>()
  #inFlight = 0

  constructor({ connection, keys, patienceMs, settleMs = defaultSettleMs(patienceMs), onChange }: CommandsOptions) {
    this.#connection = connection
    this.#patienceMs = patienceMs
    const probeTimers = this.#timers.of(Math.max(leastProbePatienceMs, patienceMs))
    this.#availability = new Availability({
      connection,
      readEpoch: () => withinPatience(probeTimers, readEpoch(connection)),
      ageOfEpoch: epoch => withinPatience(probeTimers, ageOfEpoch(connection, keys.epochMark(epoch))),
      testWrite: () => withinPatience(probeTimers, testWrite(connection, keys.probe)),
      recover: () => Promise.all(this.#onAvailable.map(listener => listener())),
      settleMs,
      onReachable: () => {
        this.#breaker.reset()
        this.#overdue.clear()
      },
      onUnreachable: () => {
        for (const listener of this.#onUnavailable) listener()
      },
      onChange,
    })
  }

  /** False while commands are not sent. Invalidations, limits and budgets look at it. */
  get isReachable(): boolean {
    return this.#availability.isReachable
  }

  /**
   * False while the cache is not used: the store is unreachable, or invalidations from the time of an outage may not be
   * written yet. Reads and sets of the cache and leases look at it.
   */
  get isAvailable(): boolean {
    return this.#availability.isAvailable
  }

  /**
   * True while the server owes the reply to a late command. A server that has stopped executes the commands of one
   * client after those of another when it continues. A lookup could then pass an invalidation that was sent before it.
   */
  get hasOverdue(): boolean {
    return this.#overdue.size > 0
  }

  /** The epoch of the server, which is part of the keys of the cache. `undefined` while the store is unreachable. */
  get epoch(): string | undefined {
    return this.#availability.epoch
  }

  /**
   * Sends a command. Rejects with `StoreUnavailable` at once, with `StoreLate`, or with the failure.
   *
   * @param kind The class in which a failure is counted.
   * @param key The first key of the command.
   * @param args The command and its arguments.
   */
  run(kind: CommandClass, key: string, args: readonly string[], options: CommandOptions = noOptions): Promise<unknown> {
    return this.#run(kind, args[0] as string, () => this.#connection.send(key, args), maxInFlight, options)
  }

  /**
   * Runs a script, and loads it if the server does not have it. A reply for another key is a failure.
   *
   * @returns The reply without its first element, which is the key.
   */
  async script(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    { patienceMs, check, isInvalidation = false }: ScriptCommandOptions = noOptions,
  ): Promise<readonly unknown[]> {
    const [key = ''] = keys
    const most = isInvalidation ? maxInFlight + extraInvalidations : maxInFlight
    const reply = await this.#run('write', 'EVALSHA', () => this.#sendScript(script, keys, args), most, {
      check: reply => isReplyFor(key, reply) && (check === undefined || check(reply.slice(1))),
      ...(patienceMs !== undefined && { patienceMs }),
    })
    return (reply as readonly unknown[]).slice(1)
  }

  /**
   * Sends a script and does not wait for its reply. It is sent also while the store is unreachable for this process, if
   * the connection is ready: other processes may still use the store.
   */
  post(script: Script, keys: readonly string[], args: readonly string[]): void {
    if (!this.#connection.isReady || this.#inFlight >= maxInFlight) return
    this.#counted(() => this.#sendScript(script, keys, args)).catch(() => {})
  }

  /** Counts a command that was not sent, because the caller has seen that the store is unavailable. */
  skip(): void {
    this.counts.skipped++
  }

  /** Makes the store unreachable. The next probe that succeeds calls the listeners of `onAvailable` again. */
  suspend(reason: string): void {
    this.#availability.suspend(reason)
  }

  /**
   * Adds a listener for a store that becomes reachable. The cache is not used until its promise resolves. If it
   * rejects, the store is unreachable again.
   */
  onAvailable(listener: () => Promise<void>): void {
    this.#onAvailable.push(listener)
  }

  /** Adds a listener for a store that becomes unreachable. */
  onUnavailable(listener: () => void): void {
    this.#onUnavailable.push(listener)
  }

  /** Ends the probes. Later commands are rejected. */
  close(): void {
    this.#availability.close()
    this.#connection.detach()
  }

  async #run(
    kind: CommandClass,
    command: string,
    send: () => Promise<unknown>,
    most: number,
    { patienceMs = this.#patienceMs, check }: CommandOptions,
  ): Promise<unknown> {
    if (!this.#availability.isReachable || this.#inFlight >= most) {
      this.counts.skipped++
      throw unavailable
    }
    const sent = this.#counted(send)
    try {
      const reply = await withinPatience(this.#timers.of(patienceMs), sent)
      if (check !== undefined && !check(reply)) throw new StoreReplyInvalid(command)
      this.#breaker.succeeded(kind)
      this.counts.ok++
      return reply
    } catch (error) {
      const isLate = error instanceof StoreLate
      this.counts[isLate ? 'late' : 'failed']++
      if (isLate) this.#noteOverdue(sent)
      if (this.#breaker.failed(kind, effectOf(error))) this.suspend(reasonOf(error))
      throw error
    }
  }

  #noteOverdue(sent: Promise<unknown>): void {
    const end = () => void this.#overdue.delete(sent)
    this.#overdue.add(sent)
    sent.then(end, end)
  }

  /** Counts a command until the client has its reply, which can be later than its caller waits. */
  async #counted(send: () => Promise<unknown>): Promise<unknown> {
    this.#inFlight++
    try {
      return await send()
    } finally {
      this.#inFlight--
    }
  }

  async #sendScript(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const [key = ''] = keys
    try {
      return await this.#connection.send(key, evalsha(script, keys, args))
    } catch (error) {
      if (replyCodeOf(error) !== 'NOSCRIPT') throw error
      return this.#connection.send(key, evaluate(script, keys, args))
    }
  }
}

/**
 * Returns the time in which each process connects after an outage and its probe has two replies, and in which each
 * process finds out about another epoch, in ms.
 */
function defaultSettleMs(patienceMs: number): number {
  const probePatienceMs = Math.max(leastProbePatienceMs, patienceMs)
  return Math.max(reconnectMs + 2 * probePatienceMs, epochChangeMs(probePatienceMs))
}
