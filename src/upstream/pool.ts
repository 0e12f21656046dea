import { Client, Pool, type Dispatcher } from 'undici'
import type { UpstreamSpec } from './spec.ts'

/** What is told which connection it goes through. */
export interface Through {
  connection: Connection | undefined
}

/** One connection at a time to an origin; it knows whether the present one has served before. */
export class Connection extends Client {
  /** Exchanges begun on the present socket. */
  served = 0

  constructor (origin: URL, options: Client.Options) {
    super(origin, options)
    this.on('connect', () => { this.served = 0 })
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler & Partial<Through>): boolean {
    handler.connection = this
    return super.dispatch(options, handler)
  }
}

/** Opens the pool of an upstream: at most so many connections, none before a call needs one. */
export function openPool ({ connections, connectTimeout }: UpstreamSpec, origin: string): Pool {
  return new Pool(origin, {
    connections,
    connect: { timeout: connectTimeout },
    factory: (place, options) => new Connection(place, options),
    // Our own timers are exact and undici's are late by up to a second, so undici sets none.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    allowH2: false,
  })
}
