/** How many requests a client has made in the window under way, the present one included, and in how many ms it ends. */
export interface Counted {
  readonly current: number
  readonly ttl: number
}

/** Counts one more request of a client. */
export type CountRequest = (client: string) => Promise<Counted>

/** Makes the kind of store that `@fastify/rate-limit` takes of a function that counts elsewhere. */
export function sharedStore (count: CountRequest) {
  return class SharedStore {
    incr (client: string, callback: (error: Error | null, counted?: Counted) => void): void {
      count(client).then(counted => callback(null, counted), callback)
    }

    child (): SharedStore {
      return this
    }
  }
}
