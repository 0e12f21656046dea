import type { FastifyInstance } from 'fastify'

/** A request body that is being received. */
export interface OpenBody {
  /** The time at which its head arrived, from `performance.now()`. */
  readonly since: number
  /** Bytes that are counted for this body. */
  bytes: number
  /** Refuses the request, because the bodies together have too many bytes. */
  refuse(): void
}

/** Time after which a body may be refused to make room for others, in ms. */
const slowMs = 1000

/**
 * The request bodies that are being received, with a limit on the sum of their bytes. At the limit, bodies that have
 * taken longer than `slowMs` are refused, the oldest first. If that does not make enough room, the body that needs the
 * room is refused. So bodies that never end cannot block other bodies for longer than `slowMs`. A single body is always
 * accepted.
 */
export class InboundBodies {
  /** The bytes of all open bodies, and of received bodies that wait to be parsed. */
  bytes = 0
  /** Number of bodies that were refused. */
  refused = 0
  readonly #limit: number
  /** The oldest first. */
  readonly #open = new Set<OpenBody>()

  /** @param limit In bytes; 0 means no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The number of bodies that are being received. */
  get count(): number {
    return this.#open.size
  }

  /** Adds the bytes of a received body that waits to be parsed, or subtracts them with a negative number. */
  hold(bytes: number): void {
    this.bytes += bytes
  }

  /**
   * Adds a body before its first byte.
   *
   * @param length Its `content-length`; 0 without that header.
   * @returns Whether there is room for it.
   */
  open(body: OpenBody, length: number): boolean {
    if (!this.#makeRoom(body, Math.max(length, 1))) return false
    this.#open.add(body)
    return true
  }

  /**
   * Counts more bytes for a body.
   *
   * @returns Whether there is room for them.
   */
  add(body: OpenBody, bytes: number): boolean {
    if (!this.#makeRoom(body, bytes)) return false
    this.bytes += bytes
    body.bytes += bytes
    return true
  }

  /** Removes a body. */
  close(body: OpenBody): void {
    if (this.#open.delete(body)) this.bytes -= body.bytes
  }

  #makeRoom(body: OpenBody, bytes: number): boolean {
    if (this.#limit === 0 || this.bytes + bytes <= this.#limit) return true
    const since = performance.now() - slowMs
    for (const each of this.#open) {
      if (each.since > since || this.bytes + bytes <= this.#limit) break
      if (each === body || each.bytes === 0) continue
      this.close(each)
      this.refused++
      each.refuse()
    }
    if (this.bytes + bytes <= this.#limit || this.bytes === body.bytes) return true
    this.refused++
    return false
  }
}

/** Time between two checks for a change, in ms. */
const sampleEvery = 250

/** Logs when the first body is refused, and when bodies are accepted again. */
export function logRefusedBodies(app: FastifyInstance, bodies: InboundBodies): void {
  let before = 0
  let isRefusing = false
  const timer = setInterval(() => {
    const refused = bodies.refused - before
    before = bodies.refused
    if (refused > 0 === isRefusing) return
    isRefusing = refused > 0
    if (isRefusing)
      app.log.warn(
        { bodiesBytes: bodies.bytes, refused },
        'request bodies are refused: the bodies being received have reached MAX_BODIES_BYTES',
      )
    else app.log.warn({ bodiesBytes: bodies.bytes }, 'request bodies are accepted again')
  }, sampleEvery).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    done()
  })
}
