/** The result of counting requests: the count in the present window, and the time to its end in ms. */
export interface WindowCount {
  readonly current: number
  readonly ttl: number
}

/** Requests that a process asks for. */
export interface GrantRequest {
  /** The requests of the first waiting call beyond the own rest. */
  readonly first: number
  /** The requests of all waiting calls beyond the own rest. */
  readonly waiting: number
  /** The requests to get if enough are left. */
  readonly wanted: number
  /** The requests that were admitted without a grant. */
  readonly admitted: number
}

/** The requests of one client that a process may admit by itself. */
export interface Grant {
  readonly granted: number
  /** The requests that other grants can still have. */
  readonly rest: number
  /** The time to the end of the window, in ms. */
  readonly ttl: number
}

export interface ClientWindowOptions {
  /** The limit on the requests of the client per window, in all processes together. */
  readonly limit: number
  readonly windowMs: number
  /** Returns the number of live processes. */
  readonly processes: () => number
  /** False while no grant can be had. */
  readonly isReachable: () => boolean
  /** Asks for a grant. */
  readonly ask: (client: string, request: GrantRequest) => Promise<Grant>
  /** A clock in ms. */
  readonly now: () => number
}

/** A call that waits for a grant. */
interface Waiter {
  readonly requests: number
  readonly resolve: (count: WindowCount) => void
}

/** Grants that a process spends faster than this are doubled, in ms. */
const shortMs = 200

/** The part of the limit that all processes together hold without having admitted it. */
const heldRatio = 0.01

/**
 * The present window of one client in this process.
 *
 * It spends requests that the store has granted. When a quarter of a large grant is left, it asks for the next one.
 * Requests without a grant wait, and share one question. Without the store, it admits its part of the limit, or its
 * part of what was left at the last grant if that is more.
 */
export class ClientWindow {
  readonly #client: string
  readonly #options: ClientWindowOptions
  #endsAt = -Infinity
  /** The granted requests that are not admitted yet. */
  #held = 0
  /** The size of the last grant. */
  #granted = 0
  /** The requests that other grants can still have. */
  #rest = Infinity
  /** The requests that this process has admitted in the window. */
  #admitted = 0
  /** Those of them that the store does not know. */
  #unreported = 0
  /** The requests that this process may admit in the window without another grant. Each grant sets them. */
  #share = 0
  #wanted = 1
  #askedAt = -Infinity
  #isAsking = false
  readonly #waiting: Waiter[] = []

  constructor(client: string, options: ClientWindowOptions) {
    this.#client = client
    this.#options = options
  }

  /** Counts requests, all of them or none. `current` is above the limit if they are refused. */
  count(requests: number): WindowCount | Promise<WindowCount> {
    const now = this.#options.now()
    if (now >= this.#endsAt) this.#begin(now + this.#options.windowMs)
    if (!this.#canFit(requests)) return this.#refuse()
    if (this.#waiting.length === 0) {
      if (this.#held >= requests) {
        const count = this.#admitHeld(requests)
        if (this.#granted > 3 && this.#held <= this.#granted / 4) this.#askNext()
        return count
      }
      if (!this.#options.isReachable()) return this.#decideAlone(requests)
    }
    return new Promise(resolve => {
      this.#waiting.push({ requests, resolve })
      this.#askNext()
    })
  }

  /** The rest does not grow in a window. */
  #canFit(requests: number): boolean {
    return requests <= this.#held + this.#rest
  }

  #begin(endsAt: number): void {
    this.#endsAt = endsAt
    this.#held = this.#admitted = this.#unreported = this.#share = 0
    this.#rest = Infinity
  }

  #askNext(): void {
    if (!this.#isAsking && this.#rest > 0) void this.#ask()
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    const askedAt = this.#options.now()
    const request = this.#nextRequest(askedAt)
    this.#unreported -= request.admitted
    try {
      const grant = await this.#options.ask(this.#client, request)
      this.#isAsking = false
      this.#take(grant, askedAt)
      this.#serve(grant.granted < request.first)
    } catch {
      this.#isAsking = false
      // A late question can still be answered by the store, which then counts these requests twice.
      this.#unreported += request.admitted
      for (const { requests, resolve } of this.#waiting.splice(0)) resolve(this.#decideAlone(requests))
    }
  }

  #nextRequest(now: number): GrantRequest {
    const { limit, processes } = this.#options
    const most = Math.max(1, Math.floor((heldRatio * limit) / processes()))
    this.#wanted = now - this.#askedAt < shortMs ? Math.min(most, 2 * this.#wanted) : Math.ceil(this.#wanted / 2)
    this.#askedAt = now
    const waiting = this.#waiting.reduce((sum, { requests }) => sum + requests, 0)
    return {
      first: Math.max(0, (this.#waiting[0]?.requests ?? 0) - this.#held),
      waiting: Math.max(0, waiting - this.#held),
      wanted: Math.max(1, Math.min(this.#wanted, most - this.#held)),
      admitted: this.#unreported,
    }
  }

  #take({ granted, rest, ttl }: Grant, askedAt: number): void {
    // Counted from the question, the window does not end later than in the store.
    const endsAt = askedAt + ttl
    // The window has ended, or the store has lost it.
    if (endsAt - this.#endsAt > this.#options.windowMs / 2) this.#begin(endsAt)
    this.#endsAt = endsAt
    this.#held += granted
    this.#granted = granted
    this.#rest = rest
    this.#share = this.#admitted + this.#held + Math.floor(rest / this.#options.processes())
  }

  /** Answers the waiting calls in their order, until one of them needs another grant. */
  #serve(isFirstRefused: boolean): void {
    if (isFirstRefused) this.#waiting.shift()?.resolve(this.#refuse())
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#held < first.requests && this.#canFit(first.requests)) return this.#askNext()
      this.#waiting.shift()
      first.resolve(this.#held >= first.requests ? this.#admitHeld(first.requests) : this.#refuse())
    }
  }

  #admitHeld(requests: number): WindowCount {
    this.#held -= requests
    return this.#admit(requests)
  }

  #decideAlone(requests: number): WindowCount {
    const { limit, processes } = this.#options
    if (this.#admitted + requests > Math.max(this.#share, Math.ceil(limit / processes()))) return this.#refuse()
    this.#unreported += requests
    return this.#admit(requests)
  }

  #admit(requests: number): WindowCount {
    this.#admitted += requests
    const { limit } = this.#options
    const used = this.#rest === Infinity ? this.#admitted : limit - this.#rest - this.#held
    return { current: Math.min(limit, Math.max(used, this.#admitted)), ttl: this.#ttl() }
  }

  #refuse(): WindowCount {
    return { current: this.#options.limit + 1, ttl: this.#ttl() }
  }

  #ttl(): number {
    return Math.max(0, this.#endsAt - this.#options.now())
  }
}
