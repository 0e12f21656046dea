import { UpstreamError } from '../../errors.ts'
import { Abortable } from '../../core/abort.ts'
import type { LiveCall } from '../call/call.ts'
import type { Answer, Layer, Service } from '../call/layer.ts'

/** A token, and how long it is good for from the moment it was asked for. */
export interface Token {
  readonly value: string
  /** 0 for a token that serves the calls that wait for it and no later ones. */
  readonly livesMs: number
}

export interface AuthorizeOptions {
  /** Asks for a token; bounded in time, and rejects with an `UpstreamError`. */
  readonly fetchToken: () => Promise<Token>
  /** From now on every call is sent with this. */
  readonly use: (token: string) => void
  /** The moment now, in ms. @default that of the process */
  readonly now?: () => number
}

/**
 * The longest time before its end at which a token is renewed, in ms. The time is a tenth of the token's life, and at
 * most this.
 */
const margin = 30_000

/** Time for which a failed token request is not repeated, in ms. */
const failureStands = 1000

/** Time for which a refused token is not renewed, in ms, after a new token was refused too. */
const refusalStands = 10_000

/**
 * Has a token ready before a call is sent. It is asked for once for all who wait, and renewed ahead of its end behind
 * the calls. When an upstream refuses it (401), it is renewed once for all, and each call that was refused is sent once
 * more.
 */
export function authorize({ fetchToken, use, now = () => performance.now() }: AuthorizeOptions): Layer {
  let token: Token | undefined
  let renewAt = -Infinity
  let endsAt = -Infinity
  let pending: Promise<void> | undefined
  let failure: { readonly error: unknown; readonly until: number } | undefined
  let refusedUntil = -Infinity

  /** A renewal in flight is shared: a caller that leaves does not end it. */
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
      // Another call may have renewed the token while this one was in flight.
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
    // The token is still valid, so the call does not wait. A failed renewal shows when the token has ended.
    if (at >= renewAt) renew().catch(() => {})
    return send(next, call)
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof UpstreamError && error.upstreamStatus === 401
}

/**
 * Waits for something that goes on without the call; a call that is stopped meanwhile rejects at once, with the reason.
 */
function waitFor({ abort }: LiveCall<unknown>, ready: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const wait = new Wait(reject)
    abort.add(wait)
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
  readonly #reject: (reason: unknown) => void

  constructor(reject: (reason: unknown) => void) {
    super()
    this.#reject = reject
  }

  leave(): void {
    this.listensTo?.delete(this)
  }

  onAbort(reason: unknown): void {
    this.leave()
    // The attempt's time is over, and its upstream was never asked.
    this.#reject(
      reason instanceof UpstreamError && reason.code === 'UPSTREAM_TIMEOUT'
        ? new UpstreamError('UPSTREAM_AUTH', reason.source, { detail: 'there was no token in time' })
        : reason,
    )
  }
}
