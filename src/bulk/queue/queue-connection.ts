import type { Redis } from 'ioredis'
import { ignoreRejection } from '../../core/promises.ts'
import type { RedisAddress } from '../../redis-config.ts'
import { reasonOf } from '../../redis/commands/store-errors.ts'
import { clientOptions } from '../../redis/serve/ioredis-options.ts'
import { loadQueuePackages } from './load-packages.ts'
import { openQueue, type OpenQueue } from './open-queue.ts'
import { serverFault } from './server-fault.ts'

/** A change of the availability of the queue of chunks. */
export interface QueueChange {
  readonly isAvailable: boolean
  /** The reason for which it cannot be used. @default none */
  readonly reason?: string
}

export interface QueueConnectionOptions {
  readonly address: RedisAddress
  /** The name of the queue. */
  readonly name: string
  /** The variable or the option with the URL, for the messages of errors. */
  readonly option: string
  /** Called when the queue can no longer be used, and when it can be used again. */
  readonly onChange: (change: QueueChange) => void
}

/** A command of the queue has failed. The failure is reported already. */
export class QueueUnavailable extends Error {}

/** The connection of one process to the queue. It reconnects by itself, and reports each outage once. */
export class QueueConnection {
  readonly #options: QueueConnectionOptions
  #client: Redis | undefined
  #queue: Promise<OpenQueue> | undefined
  #opening: Promise<void> | undefined
  #reported: boolean | undefined
  #lastError: string | undefined
  /** True if the server was checked since the client has connected. */
  #isChecked = false
  #isClosed = false
  #connections = 0

  constructor(options: QueueConnectionOptions) {
    this.#options = options
  }

  /** The number of connections so far. The server behind a new connection may have lost all jobs. */
  get connections(): number {
    return this.#connections
  }

  /** Connects, and connects again after each loss of the connection. */
  open(): void {
    ignoreRejection((this.#opening ??= this.#open()))
  }

  /**
   * Uses the queue.
   *
   * @throws `QueueUnavailable` if it cannot be used now
   */
  async use<T>(command: (queue: OpenQueue) => Promise<T>): Promise<T> {
    try {
      return await command(await this.#usable())
    } catch (error) {
      if (error instanceof QueueUnavailable) throw error
      throw this.#unavailable(this.#client?.status === 'ready' ? reasonOf(error) : this.#lossReason)
    }
  }

  /** Reports that the queue works. A server without memory executes some commands, so one of them is not enough. */
  reportUse(): void {
    this.#report({ isAvailable: true })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => {})
    const queue = await this.#queue?.catch(() => undefined)
    await queue?.close()
    this.#client?.disconnect()
  }

  async #open(): Promise<void> {
    const { address, option } = this.#options
    const { Redis } = await loadQueuePackages(option)
    if (this.#isClosed) return
    const client = new Redis(clientOptions({ server: address, options: {} }))
    this.#client = client
    client.on('error', (error: Error) => {
      this.#lastError = reasonOf(error)
    })
    client.on('ready', () => {
      this.#connections++
      ignoreRejection(this.use(async () => this.reportUse()))
    })
    client.on('close', () => {
      this.#isChecked = false
      this.#report({ isAvailable: false, reason: this.#lossReason })
    })
    ignoreRejection(client.connect())
  }

  async #usable(): Promise<OpenQueue> {
    const client = this.#client
    if (client?.status !== 'ready') {
      // The first attempt to connect may still succeed.
      if (this.#reported === undefined && this.#lastError === undefined) throw new QueueUnavailable('not connected yet')
      throw this.#unavailable(this.#lossReason)
    }
    if (!this.#isChecked) {
      const fault = await serverFault(client, this.#options.address.db)
      if (fault !== undefined) throw this.#unavailable(fault)
      this.#isChecked = true
    }
    this.#queue ??= this.#openQueue(client)
    return this.#queue
  }

  async #openQueue(client: Redis): Promise<OpenQueue> {
    const { name, option } = this.#options
    try {
      const packages = await loadQueuePackages(option)
      // BullMQ would wait for a connection, and a stop of the service for BullMQ.
      if (client.status !== 'ready') throw new Error('the connection was lost before the queue was open')
      return await openQueue(packages, client, name)
    } catch (error) {
      this.#queue = undefined
      throw error
    }
  }

  get #lossReason(): string {
    return this.#lastError ?? 'the connection was closed'
  }

  #unavailable(reason: string): QueueUnavailable {
    this.#report({ isAvailable: false, reason })
    return new QueueUnavailable(reason)
  }

  #report(change: QueueChange): void {
    if (this.#isClosed || this.#reported === change.isAvailable) return
    this.#reported = change.isAvailable
    if (change.isAvailable) this.#lastError = undefined
    this.#options.onChange(change)
  }
}
