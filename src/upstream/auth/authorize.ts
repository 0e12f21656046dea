import { UpstreamError } from '../../errors.ts'
import { Abortable } from '../../core/abort.ts'
import type { LiveCall } from '../call/live-call.ts'
import { reportWait } from '../call/wait.ts'
import type { Answer, Layer, Service } from '../call/layer.ts'

/** A token and its lifetime. */
export interface Token {
  readonly value: string
  /**
   * The time from the request for which the token is valid, in ms. With 0, it is used only for the calls that wait for
   * it.
   */
  readonly livesMs: number
}

export interface AuthorizeOptions {
  /** Requests a token. The request has a time limit. It rejects with an `UpstreamError`. */
  readonly fetchToken: () => Promise<Token>
  /** Sets the token of all later calls. */
  readonly use: (token: string) => void
  /** Returns the present time, in ms. @default performance.now() */
  readonly now?: () => number
}

/**
 * The maximum time before the end of a token at which it is renewed, in ms. The time is a tenth of the token's
 * lifetime, up to this limit.
 */
const margin = 30_000

/** The time for which a failed token request is not repeated, in ms. */
const failureStands = 1000

/** The time for which a refused token is not renewed, in ms, after a new token was refused too. */
const refusalStands = 10_000

/**
 * Ensures that a token exists before a call is sent. One token request serves all waiting calls. A token is renewed in
 * the background before it ends.
 *
 * If the upstream refuses the token (401), it is renewed once for all calls, and each refused call is sent once more.
 */
export function authorize({ fetchToken, use, now = () => performance.now() }: AuthorizeOptions): Layer {
  let token: Token | undefined
  let renewAt = -Infinity
  let endsAt = -Infinity
  let pending: Promise<void> | undefined
  let failure: { readonly error: unknown; readonly until: number } | undefined
  let refusedUntil = -Infinity

  /** Renews the token. Calls share a renewal in flight, and it continues when a caller leaves. */
  function renew(): Promise<void> {
    if (pending !== undefined) return pending
    const at = now()
    if (failure !== undefined && at < failure.until) return Promise.reject(failure.error)
    pending = fetchToken()
      .then(
        fresh => {
          token = fresh
          endsAt = at + fresh.livesMs
          renewAt = endsAt - Math.min(margin, fresh.livesMs / 10)
          use(fresh.value)
        },
        (error: unknown) => {
          failure = { error, until: now() + failureStands }
          throw error
        },
      )
      .finally(() => {
        pending = undefined
      })
    return pending
  }

  async function send<T>(next: Service, call: LiveCall<T>): Promise<Answer<T>> {
    const used = token
    try {
      return await next(call)
    } catch (error) {
      if (!isRefusal(error) || call.abort.aborted || now() < refusedUntil) throw error
      // A stream cannot be sent again. The token is renewed for the next calls.
      if (call.isOneShot) {
        if (token === used) renew().catch(() => {})
        throw error
      }
      // Another call may have renewed the token while this call was in flight.
      if (token === used) await waitFor(call, renew())
    }
    try {
      return await next(call)
    } catch (error) {
      if (isRefusal(error)) refusedUntil = now() + refusalStands
      throw error
    }
  }

  return next => call => {
    if (call.abort.aborted) return Promise.reject(call.abort.reason)
    const at = now()
    if (at >= endsAt) return waitFor(call, renew()).then(() => send(next, call))
    // The token is still valid, so the call does not wait. A failed renewal is reported when the token has ended.
    if (at >= renewAt) renew().catch(() => {})
    return send(next, call)
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof UpstreamError && error.upstreamStatus === 401
}

/**
 * Waits for a promise. If the call is aborted, it rejects at once with the abort reason. The work behind the promise
 * continues.
 */
function waitFor(call: LiveCall<unknown>, ready: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const wait = new Wait(call, reject)
    call.abort.add(wait)
    ready.then(
      () => {
        wait.leave()
        resolve()
      },
      error => {
        wait.leave()
        reject(error)
      },
    )
  })
}

class Wait extends Abortable {
  readonly #call: LiveCall<unknown>
  readonly #since: number
  readonly #reject: (reason: unknown) => void

  constructor(call: LiveCall<unknown>, reject: (reason: unknown) => void) {
    super()
    this.#call = call
    this.#since = call.scope.now()
    this.#reject = reject
  }

  /** Ends the wait. An aborted wait has already ended before the token arrives. */
  leave(): void {
    if (this.listensTo === undefined) return
    this.listensTo.delete(this)
    reportWait(this.#call, 'token', this.#call.scope.now() - this.#since)
  }

  onAbort(reason: unknown): void {
    this.leave()
    // The attempt has reached its time limit before a request was sent to the upstream.
    this.#reject(
      reason instanceof UpstreamError && reason.code === 'UPSTREAM_TIMEOUT'
        ? new UpstreamError('UPSTREAM_AUTH', reason.source, { detail: 'no token arrived in time' })
        : reason,
    )
  }
}
