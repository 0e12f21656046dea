import type { Dispatcher } from 'undici'
import { UpstreamError } from '../errors.ts'
import { Abortable } from './abort.ts'
import { decode, readBody } from './body.ts'
import type { LiveCall } from './call.ts'
import { Chunks } from './chunks.ts'
import { parsing, type Connection, type Passenger } from './connection.ts'
import { codingOf, judge, type Head } from './head.ts'
import { inTurns } from './in-turns.ts'
import type { Taker } from './policies/layer.ts'
import { isHandshakeRefusal, wireError } from './wire-errors.ts'

type Controller = Dispatcher.DispatchController

/** A refused answer's body is read to its end, to keep the connection, unless it is longer than this. */
const discardBytes = 16 * 1024

/** Informational answers taken before the real one. */
const maxHints = 8

/** From so many on a body is read in a turn of its own: parsing and checking it takes a millisecond, or ten. */
const largeBytes = 128 * 1024

const noBody = Buffer.alloc(0)

/** Why undici ends an exchange that was decided before its end; nobody reads it. */
const early = new Error('settled before its end')

/** One HTTP exchange: takes undici's callbacks, judges the head, collects the body under its cap and settles once. */
export class Exchange<T> extends Abortable implements Passenger {
  readonly #call: LiveCall<T>
  readonly #taker: Taker<T>
  #settled = false
  #hasEnded = false
  /** Whether it is over and stays on its connection for the sake of others. */
  #isLingering = false
  #controller: Controller | undefined
  #status = 0
  #head: Head = {}
  /** Why the answer is no good, known since its head; `null` when it means "there is none". */
  #verdict: UpstreamError | null | undefined
  #first: Buffer | undefined
  #chunks: Chunks | undefined
  #bytes = 0
  #hints = 0
  #letGo: (() => void) | undefined
  /** Given by the pool. */
  connection: Connection | undefined
  /** Whether the connection has served before. */
  #isReused = false

  constructor (call: LiveCall<T>, taker: Taker<T>) {
    super()
    this.#call = call
    this.#taker = taker
    call.abort.add(this)
  }

  /** Stops the exchange at once; an unsafe call that has left is stopped by a deadline only. */
  cut (reason: unknown): void {
    if (this.#settled) return
    if (this.#controller !== undefined && !this.#call.spec.safe) {
      if (!(reason instanceof UpstreamError && reason.code === 'DEADLINE_EXCEEDED')) return
      return this.#fail(new UpstreamError('OUTCOME_UNKNOWN', this.#call.spec.upstream.name, { cause: reason, verdict: reason.verdict }))
    }
    this.#fail(reason)
  }

  onRequestStart (controller: Controller): void {
    this.#controller = controller
    if (this.connection !== undefined) this.#isReused = this.connection.served++ > 0
    // Given up while it waited for its connection: it must not leave, unless that would take others along.
    if (this.#settled && !this.#isLingering) controller.abort(early)
  }

  hangUp (): void {
    this.#controller?.abort(early)
  }

  lost (isOrderly: boolean): void {
    // What has not left goes with the next connection.
    if (this.#controller === undefined) return
    this.#free(false)
    // One lost connection is one failure, which whoever was first on it tells. What stood behind the last answer has not been taken (RFC 9112, section 9.6).
    this.#fail(new UpstreamError('UPSTREAM_RESET', this.#call.spec.upstream.name, { verdict: 'ignored', isIdleClose: isOrderly && this.#status === 0 }))
    this.hangUp()
  }

  onResponseStart (_controller: Controller, status: number, head: Head): void {
    parsing.connection = this.connection
    try {
      this.#begin(status, head)
    } finally {
      parsing.connection = undefined
    }
  }

  onResponseData (_controller: Controller, chunk: Buffer): void {
    parsing.connection = this.connection
    try {
      this.#collect(chunk)
    } finally {
      parsing.connection = undefined
    }
  }

  onResponseEnd (): void {
    parsing.connection = this.connection
    try {
      this.#end()
    } finally {
      parsing.connection = undefined
    }
  }

  #begin (status: number, head: Head): void {
    if (this.#settled) return
    const { spec, isConditional } = this.#call
    if (status < 200) {
      if (++this.#hints > maxHints) this.#fail(new UpstreamError('UPSTREAM_PROTOCOL', spec.upstream.name, { detail: 'it sends informational answers without end' }))
      return
    }
    this.#status = status
    this.#head = head
    this.connection?.answered(head)
    const judgement = status === 304 && isConditional ? 'absent' : judge(spec, status, head)
    if (judgement === 'read') return
    this.#verdict = judgement === 'absent' ? null : judgement
    if (Number(head['content-length'] ?? 0) > discardBytes) this.#conclude()
  }

  #collect (chunk: Buffer): void {
    const { name, maxBytes } = this.#call.spec.upstream
    this.#bytes += chunk.length
    if (this.#settled) {
      // Who stays for the sake of others is not read for ever.
      if (this.#bytes > 2 * maxBytes) this.hangUp()
      return
    }
    if (this.#verdict !== undefined) {
      if (this.#bytes > discardBytes) this.#conclude()
      return
    }
    if (this.#bytes > maxBytes) {
      this.#fail(new UpstreamError('UPSTREAM_TOO_LARGE', name, { upstreamStatus: this.#status, detail: `the limit is ${maxBytes} bytes` }))
    } else if (this.#first === undefined) {
      this.#first = chunk
    } else {
      this.#chunks ??= new Chunks(this.#first, Number(this.#head['content-length'] ?? 0))
      this.#chunks.add(chunk)
    }
  }

  #end (): void {
    this.#free(true)
    if (this.#settled) return
    if (this.#verdict !== undefined) return this.#conclude()
    const body = this.#chunks?.whole() ?? this.#first ?? noBody
    const coding = codingOf(this.#head)
    if (coding === undefined || body.length === 0) return this.#take(body)
    decode(this.#call.spec, this.#status, coding, body, (error, decoded) => {
      if (error === null) this.#take(decoded)
      else this.#fail(error)
    })
  }

  onResponseError (_controller: Controller | null, error: Error): void {
    this.#free(false)
    if (this.#settled) return
    if (this.#verdict !== undefined) return this.#conclude()
    const { spec } = this.#call
    const failure = wireError(error, spec.upstream.name)
    const isUnread = !this.#isReused && this.#status === 0 && this.#hints === 0 && isHandshakeRefusal(error)
    if (!(failure instanceof UpstreamError) || this.#controller === undefined || isUnread) return this.#fail(failure)
    const { code, retryable } = failure
    // A shutdown invites to ask again at once, which an unknown outcome must not.
    const statusCode = code === 'RUNTIME_CLOSED' ? 504 : failure.statusCode
    const isIdleClose = this.#isReused && this.#status === 0 && this.#hints === 0 && code === 'UPSTREAM_RESET'
    if (!spec.safe) this.#fail(new UpstreamError('OUTCOME_UNKNOWN', spec.upstream.name, { cause: failure, statusCode, retryable: retryable && this.#call.isRepeatable, isIdleClose }))
    else this.#fail(isIdleClose ? new UpstreamError(code, spec.upstream.name, { cause: error, isIdleClose }) : failure)
  }

  #take (body: Buffer): void {
    if (body.length < largeBytes) this.#finish(body)
    else inTurns(() => { if (!this.#settled) this.#finish(body) })
  }

  #finish (body: Buffer): void {
    let value: unknown
    try {
      value = readBody(this.#call.spec, this.#status, this.#head, body)
    } catch (error) {
      return this.#fail(error)
    }
    this.#succeed(value, body)
  }

  /** Settles an answer that was decided by its head. */
  #conclude (): void {
    if (this.#verdict === null) this.#succeed(null, noBody)
    else this.#fail(this.#verdict)
  }

  #succeed (value: unknown, body: Buffer): void {
    if (!this.#settle()) return
    const answer = { value: value as T, status: this.#status }
    this.#taker.win(this.#call.spec.cache === undefined ? answer : { ...answer, received: { head: this.#head, body, value } })
  }

  #fail (error: unknown): void {
    if (this.#settle()) this.#taker.lose(error)
  }

  /** Settles once. Before anybody hears of it the connection is free, or closed where the exchange has not come to its end. */
  #settle (): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#call.abort.delete(this)
    if (!this.#hasEnded) this.#part()
    return true
  }

  /** Hangs up; or stays until its answer has come, where others would be lost with the connection. */
  #part (): void {
    const { connection } = this
    this.#isLingering = connection?.leave(this) === true
    // It stays in undici's queue too, until there is a connection, or none, and takes up the place of a call that lives.
    if (this.#isLingering || this.#controller === undefined) this.#call.attempt.held = new Promise(resolve => { this.#letGo = resolve })
    if (this.#isLingering) return
    this.hangUp()
    connection?.abandon()
  }

  /** It has come to its end, and takes nothing more from its connection. */
  #free (isSound: boolean): void {
    const { connection } = this
    this.connection = undefined
    this.#hasEnded = true
    this.#letGo?.()
    connection?.free(this, isSound)
  }
}
