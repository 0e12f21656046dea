import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { Connection, type ConnectionOptions, type Passenger } from './connection.ts'

export interface PipelineOptions extends Omit<ConnectionOptions, 'connect'> {
  readonly connect: buildConnector.connector
  /** Calls under way at once. */
  readonly pipelining: number
}

/**
 * A connection that carries several calls at once, answered in the order in which they were sent (RFC 9112, section 9.3.2). Who is
 * given up stays until its answer has come, since hanging up would take the others along; the last one who is wanted hangs up.
 */
export class Pipeline extends Connection {
  readonly #most: number
  readonly #carried = new Set<Passenger>()
  readonly #unwanted = new Set<Passenger>()
  #socket: Socket | undefined
  #corked: Socket | undefined

  constructor (origin: string, { connect, ...options }: PipelineOptions) {
    super(origin, {
      ...options,
      connect: (place, callback) => connect(place, (...opened) => {
        this.#socket = opened[1] ?? undefined
        callback(...opened)
      }),
    })
    this.#most = options.pipelining
    // undici would send again what was under way: whether that may be is for the retries to say.
    this.on('disconnect', () => { for (const passenger of Array.from(this.#carried)) passenger.lost() })
  }

  get hasRoom (): boolean {
    return this.#carried.size < this.#most
  }

  /** Holds back what is written, so that it is written together. */
  cork (): void {
    this.#corked = this.#socket
    this.#corked?.cork()
  }

  uncork (): void {
    this.#corked?.uncork()
    this.#corked = undefined
  }

  override carry (passenger: Passenger): void {
    this.#carried.add(passenger)
  }

  override leave (passenger: Passenger): boolean {
    this.#unwanted.add(passenger)
    return this.#unwanted.size < this.#carried.size
  }

  override free (passenger: Passenger, isSound: boolean): void {
    this.#carried.delete(passenger)
    this.#unwanted.delete(passenger)
    if (this.#carried.size === 0) return super.free(passenger, isSound)
    if (this.#unwanted.size < this.#carried.size) return
    const [first] = this.#unwanted
    first?.hangUp()
  }
}
