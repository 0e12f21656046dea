import type { DashboardEvent } from '../protocol.ts'
import type { ConnectionOptions, Phase } from './phase.ts'
import { readEvents } from './sse-lines.ts'

/** The time without a byte after which a connection is lost; samples come every 500 ms. */
const silenceMs = 3000
/** The time that a first event may take: it has two minutes of all series. */
const firstEventMs = 15_000
const hiddenMs = 60_000
/** The pauses before a try; the last one is repeated. */
const pauses = [1000, 2000, 4000, 8000, 15_000]

/** One page's connection to the events of the service. It reconnects until it is closed. */
export class Connection {
  readonly #options: ConnectionOptions
  #phase: Phase = { name: 'connecting' }
  #request: AbortController | undefined
  /** Ends the requests for what the events do not have. */
  #reads = new AbortController()
  #cancelTimer: (() => void) | undefined
  #cancelHiding: (() => void) | undefined
  #failures = 0
  #lastByteAt = 0
  #lastEventAt = 0
  #version: string | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get phase(): Phase {
    return this.#phase
  }

  /** The moment of the last event by the clock of the connection; 0 before the first one. */
  get lastEventAt(): number {
    return this.#lastEventAt
  }

  /** Connects now; a pause before a try ends. */
  open(): void {
    this.#end()
    const request = new AbortController()
    this.#request = request
    const phase = this.#phase
    if (phase.name === 'waiting') this.#enter({ name: 'lost', reason: phase.reason })
    else if (phase.name !== 'lost') this.#enter({ name: 'connecting' })
    this.#lastByteAt = this.#options.timers.now()
    this.#watch(request, firstEventMs)
    this.#read(request).catch((error: unknown) => this.#fail(request, reasonOf(error)))
  }

  /** Keeps the key and connects with it. A key that no header can have is refused without a request. */
  unlock(key: string): void {
    if (!isHeaderText(key)) return this.#enter({ name: 'locked', isRefused: true })
    this.#options.key.write(key)
    this.open()
  }

  /** Forgets the key and closes the connection that was opened with it. */
  lock(): void {
    this.#lock(false)
  }

  /** Closes the connection when the page has been hidden for a minute. */
  hide(): void {
    this.#cancelHiding ??= this.#options.timers.after(hiddenMs, () => {
      const { name } = this.#phase
      if (name === 'locked' || name === 'off' || name === 'outdated') return
      this.#end()
      this.#enter({ name: 'hidden' })
    })
  }

  /** Connects again if the page was hidden for so long that it had closed the connection. */
  show(): void {
    this.#cancelHiding?.()
    this.#cancelHiding = undefined
    if (this.#phase.name === 'hidden' || this.#phase.name === 'waiting') this.open()
  }

  /** Requests a path of the same service with the key. The request ends when the key is forgotten. */
  request(path: string, accept: string): Promise<Response> {
    const headers = this.#headers(accept)
    return this.#options.fetch(path, { headers, cache: 'no-store', signal: this.#reads.signal })
  }

  #lock(isRefused: boolean): void {
    this.#options.key.forget()
    this.#reads.abort()
    this.#reads = new AbortController()
    this.#end()
    this.#enter({ name: 'locked', isRefused })
  }

  #headers(accept: string): Record<string, string> {
    const key = this.#options.key.read()
    return key === undefined ? { accept } : { accept, authorization: `Bearer ${key}` }
  }

  async #read(request: AbortController): Promise<void> {
    const { fetch, url } = this.#options
    const { signal } = request
    const response = await fetch(url, { headers: this.#headers('text/event-stream'), cache: 'no-store', signal })
    if (request !== this.#request) return
    if (response.status === 401) {
      const isRefused = this.#options.key.read() !== undefined
      return this.#lock(isRefused)
    }
    if (response.status === 404) {
      this.#end()
      return this.#enter({ name: 'off' })
    }
    if (response.status === 503) throw new Error('the service answered 503: it serves only a few dashboards at once')
    if (!response.ok || response.body === null) throw new Error(`the service answered ${response.status}`)
    const reader = response.body.getReader()
    const decoder = new TextDecoder()
    const take = readEvents((_type, data) => {
      if (request === this.#request) this.#take(JSON.parse(data) as DashboardEvent)
    })
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (request !== this.#request) return
      this.#lastByteAt = this.#options.timers.now()
      take(decoder.decode(read.value as Uint8Array, { stream: true }))
    }
    throw new Error('the service ended the connection')
  }

  #take(event: DashboardEvent): void {
    if (event.type === 'bye')
      throw new Error(event.reason === 'full' ? 'other dashboards have all places' : 'the service is stopping')
    if (event.type === 'hello') {
      this.#failures = 0
      // The page has the files of the version that it was loaded with.
      this.#version ??= event.version
      if (this.#version !== event.version) {
        this.#end()
        return this.#enter({ name: 'outdated' })
      }
    }
    this.#lastEventAt = this.#lastByteAt
    try {
      this.#options.onEvent(event)
    } catch (error) {
      // A fault of the page is not a lost connection: it goes to the console.
      queueMicrotask(() => {
        throw error
      })
    }
    if (this.#phase.name === 'live') return
    this.#cancelTimer?.()
    if (this.#request !== undefined) this.#watch(this.#request, silenceMs)
    this.#enter({ name: 'live' })
  }

  // One timer per silence, not one per event.
  #watch(request: AbortController, ms: number): void {
    this.#cancelTimer = this.#options.timers.after(ms, () => {
      if (request !== this.#request) return
      const limit = this.#phase.name === 'live' ? silenceMs : firstEventMs
      const left = this.#lastByteAt + limit - this.#options.timers.now()
      if (left > 0) return this.#watch(request, left)
      this.#fail(request, `the service has sent nothing for ${limit / 1000} s`)
    })
  }

  #fail(request: AbortController, reason: string): void {
    if (request !== this.#request) return
    this.#end()
    const { timers } = this.#options
    const pause = pauses[Math.min(this.#failures, pauses.length - 1)] as number
    this.#failures++
    const ms = pause * (0.8 + 0.4 * timers.random())
    this.#enter({ name: 'waiting', reason, tryAt: timers.now() + ms })
    this.#cancelTimer = timers.after(ms, () => this.open())
  }

  #end(): void {
    const request = this.#request
    this.#request = undefined
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    request?.abort()
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#options.onPhase(phase)
  }
}

function isHeaderText(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f || code > 0xff) return false
  }
  return true
}

function reasonOf(error: unknown): string {
  if (error instanceof TypeError) return 'the service does not answer'
  return error instanceof Error ? error.message : String(error)
}
