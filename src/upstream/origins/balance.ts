import { UpstreamError } from '../../errors.ts'
import type { ResponseHeaders } from '../spec/answer.ts'
import type { AttemptOrigin } from '../call/attempt.ts'
import { classify } from '../call/classify.ts'
import {
  callbackLayer,
  serviceOf,
  type Answer,
  type Completion,
  type Layer,
  type Send,
  type Service,
} from '../call/layer.ts'
import type { LiveCall } from '../call/live-call.ts'
import type { SpanServer } from '../call/spans.ts'
import type { Balancer, Member, OriginVerdict } from './types.ts'

/** One of several origins, to which requests can be sent. */
export interface BalancedOrigin extends AttemptOrigin {
  /** Sends a request to the origin. */
  readonly send: Send
}

export interface BalanceLayerOptions<O extends BalancedOrigin> {
  readonly balancer: Balancer<O>
  /** Lets a call wait until an origin is known, and then calls `resume`; or rejects it. */
  readonly wait: (call: LiveCall<unknown>, completion: Completion<never>, resume: () => void) => void
  /** Called when an attempt no longer uses the transport of its origin. */
  readonly released: (member: Member<O>) => void
}

/**
 * Chooses the origin of each attempt: one that the call has not tried, if there is another. All requests of the attempt
 * use the same origin.
 */
export function balance<O extends BalancedOrigin>({ balancer, wait, released }: BalanceLayerOptions<O>): Layer {
  return callbackLayer(next => {
    function send<T>(call: LiveCall<T>, completion: Completion<T>): void {
      const member = balancer.pick(call.effort.tried)
      if (member === undefined) return wait(call, completion, () => send(call, completion))
      balancer.started(member)
      const attempt = new BalancedAttempt(call, completion, member, balancer, released)
      call.attempt.origin = attempt
      ;(call.effort.tried ??= []).push(member.value)
      next(call, attempt)
    }
    return (call, completion) => {
      if (call.abort.aborted) completion.reject(call.abort.reason)
      else send(call, completion)
    }
  })
}

/** Creates the service that sends each request to the origin of its attempt. */
export function originService(): Service {
  return serviceOf((call, completion) =>
    (call.attempt.origin as BalancedAttempt<unknown, BalancedOrigin>).send(call, completion),
  )
}

/** One attempt and its origin. */
class BalancedAttempt<T, O extends BalancedOrigin> implements AttemptOrigin, Completion<T> {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #member: Member<O>
  readonly #balancer: Balancer<O>
  readonly #released: (member: Member<O>) => void
  /** The time at which the last request of the attempt was sent to the transport, in ms. */
  #sentAt: number | undefined
  /** The headers of an earlier attempt that has changed something. */
  readonly #changedBefore: ResponseHeaders | undefined

  constructor(
    call: LiveCall<T>,
    completion: Completion<T>,
    member: Member<O>,
    balancer: Balancer<O>,
    released: (member: Member<O>) => void,
  ) {
    this.#call = call
    this.#completion = completion
    this.#member = member
    this.#balancer = balancer
    this.#released = released
    this.#changedBefore = call.effort.changed
  }

  get text(): string {
    return this.#member.value.text
  }

  get server(): SpanServer {
    return this.#member.value.server
  }

  /** Sends one request of the attempt. */
  send<R>(call: LiveCall<R>, completion: Completion<R>): void {
    this.#sentAt = performance.now()
    this.#member.value.send(call, completion)
  }

  resolve(answer: Answer<T>): void {
    this.#end('ok')
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    this.#end(verdictOf(error, this.#call))
    this.#completion.reject(error)
  }

  #end(verdict: OriginVerdict): void {
    const { effort, attempt } = this.#call
    if (effort.changed !== this.#changedBefore) effort.changedAt = this.text
    // An attempt that failed before its request, for example without a token, is not evidence about the origin.
    if (this.#sentAt !== undefined) this.#balancer.ended(this.#member, performance.now() - this.#sentAt, verdict)
    if (attempt.held === undefined) this.#released(this.#member)
    else void attempt.held.then(() => this.#released(this.#member))
  }
}

/** Returns the evidence about an origin in the failure of an attempt. */
function verdictOf(error: unknown, { abort, attempt }: LiveCall<unknown>): OriginVerdict {
  // The token endpoint has failed, not the origin.
  if (error instanceof UpstreamError && error.code === 'UPSTREAM_AUTH') return 'ignored'
  if (classify(error, attempt.sent) === 'failed' || isAddressFailure(error)) return 'failed'
  if (abort.aborted && error === abort.reason) return 'aborted'
  // The origin has answered, with a status that is the fault of the caller.
  return error instanceof UpstreamError && error.upstreamStatus !== undefined ? 'ok' : 'ignored'
}

/**
 * Returns true if an attempt failed because the address of its origin cannot be used. This is not evidence about the
 * upstream, whose other origins have other addresses.
 */
function isAddressFailure(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false
  const { code } = (error.cause ?? {}) as { readonly code?: unknown }
  return error.code === 'ADDRESS_REFUSED' || code === 'EADDRNOTAVAIL'
}
