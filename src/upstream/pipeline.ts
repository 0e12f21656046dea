import type { Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import type { BatchSize, BatchStart } from './batch-size.ts'
import { Connection, type ConnectionOptions, type Passenger } from './connection.ts'
import type { Head } from './head.ts'

export interface PipelineOptions extends Omit<ConnectionOptions, 'connect'> {
  readonly connect: buildConnector.connector
  /** Calls under way at once. */
  readonly pipelining: number
  /** How many that is now; the same for all connections of a pool. */
  readonly size: BatchSize
}

/**
 * A connection that carries several calls at once, answered in the order in which they were sent (RFC 9112, section 9.3.2). Who is
 * given up stays until its answer has come, since hanging up would take the others along; the last one who is wanted hangs up.
 */
export class Pipeline extends Connection {
  readonly #size: BatchSize
  // Lists, since they are short; a set's old tables would keep what has left it from dying young.
  readonly #carried: Passenger[] = []
  readonly #unwanted: Passenger[] = []
  readonly #unsent: { readonly options: Dispatcher.DispatchOptions, readonly passenger: Passenger }[] = []
  #socket: Socket | undefined
  /** Where the present batch began, if there is one, and none of it was slow yet: what comes behind that says nothing more. */
  #start: BatchStart | undefined
  /** Whether somebody on it has failed since it was last empty: undici may be telling the others. */
  #isFailing = false
  /** Whether an answer on the present socket was said to be the last. */
  #isLast = false

  constructor (origin: string, { connect, size, ...options }: PipelineOptions) {
    super(origin, {
      ...options,
      connect: (place, callback) => connect(place, (...opened) => {
        this.#socket = opened[1] ?? undefined
        this.#isLast = false
        callback(...opened)
      }),
    })
    this.#size = size
    // undici would send again what was under way: whether that may be is for the retries to say.
    this.on('disconnect', () => { for (const passenger of this.#carried.slice()) passenger.lost(this.#isLast) })
  }

  get hasRoom (): boolean {
    return !this.#isFailing && this.#carried.length < this.#size.now
  }

  /** Sends it as soon as undici's parser has let go. */
  override dispatchLater (options: Dispatcher.DispatchOptions, passenger: Passenger): void {
    this.#unsent.push({ options, passenger })
    if (this.#unsent.length === 1) queueMicrotask(() => { for (const next of this.#unsent.splice(0)) this.dispatch(next.options, next.passenger) })
  }

  /** Begins a batch: holds back what is written, so that it is written together, until what it returns is called. */
  cork (): () => void {
    const socket = this.#socket
    this.#start = this.#size.start
    socket?.cork()
    return () => socket?.uncork()
  }

  override abandon (): void {
    this.#carried[0]?.hangUp()
  }

  override carry (passenger: Passenger): void {
    if (this.#carried.length === 0) this.#isFailing = false
    this.#carried.push(passenger)
    this.#size.began()
  }

  override answered ({ connection }: Head): void {
    if (connection !== undefined && /\bclose\b/i.test(String(connection))) this.#isLast = true
  }

  override leave (passenger: Passenger): boolean {
    if (!this.#unwanted.includes(passenger)) this.#unwanted.push(passenger)
    return this.#unwanted.length < this.#carried.length
  }

  override free (passenger: Passenger, isSound: boolean): void {
    if (!isSound) this.#isFailing = true
    this.#learn()
    take(this.#carried, passenger)
    take(this.#unwanted, passenger)
    if (this.#carried.length === 0) {
      // What comes next may be no batch.
      this.#start = undefined
      return super.free(passenger, isSound)
    }
    if (this.#unwanted.length === this.#carried.length) this.#unwanted[0]?.hangUp()
  }

  #learn (): void {
    this.#size.ended()
    if (this.#start === undefined) return
    const isSlow = this.#size.isSlow(this.#start)
    this.#size.learn(isSlow)
    if (isSlow) this.#start = undefined
  }
}

function take (list: Passenger[], passenger: Passenger): void {
  const place = list.indexOf(passenger)
  if (place === 0) list.shift()
  else if (place > 0) list.splice(place, 1)
}
