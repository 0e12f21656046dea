import { Abortable } from '../../../core/abort.ts'
import type { Timer } from '../../../core/timer-queue.ts'
import type { LiveCall } from '../../call/call.ts'
import { callbackLayer, type Answer, type Completion, type Layer } from '../../call/layer.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import { Invalidations } from './invalidations.ts'
import { lateError } from './pending-lookup.ts'

export interface InvalidateOptions {
  /** The origin of the upstream. */
  readonly origin: string
  /** The origin with the prefix of its paths: with the path of a call it is the URI of the call. */
  readonly base: string
  readonly invalidations: Invalidations
  /** Called with the cause of an invalidation that failed. */
  readonly onFault: (cause: unknown) => void
}

/**
 * Invalidates what is kept of a URI after an unsafe call to it that succeeded, that was answered 2xx or 3xx, or whose
 * outcome is unknown (RFC 9111, section 4.4). `Location` and `Content-Location` of the answer are invalidated too. The
 * call ends after the stores have confirmed this, have failed or are late. It never fails by it.
 */
export function invalidate({ origin, base, invalidations, onFault }: InvalidateOptions): Layer {
  /** Calls `settle` after the URIs of a call are invalid. */
  function afterInvalidation(call: LiveCall<unknown>, settle: () => void): void {
    const stores = invalidations.storesOf(origin)
    if (stores === undefined) return settle()
    const { changed } = call.effort
    const uri = base + call.path
    const uris = changed === undefined ? [uri] : [uri, ...namedUris(changed, uri, origin)]
    const pending = invalidations.invalidate(stores, uris)
    if (pending === undefined) settle()
    else new Confirmation(call, invalidations, settle, onFault).wait(pending)
  }

  return callbackLayer(next => <T>(call: LiveCall<T>, completion: Completion<T>) => {
    if (call.spec.safe) return next(call, completion)
    next(call, {
      resolve(answer: Answer<T>) {
        afterInvalidation(call, () => completion.resolve(answer))
      },
      reject(error: unknown) {
        if (call.effort.changed === undefined) completion.reject(error)
        else afterInvalidation(call, () => completion.reject(error))
      },
    })
  })
}

/** Returns the URIs of an origin that the headers of a response to a URI name. */
function namedUris(head: ResponseHeaders, uri: string, origin: string): string[] {
  const uris = new Set<string>()
  for (const name of [head['location'], head['content-location']]) {
    if (typeof name !== 'string' || !URL.canParse(name, uri)) continue
    const url = new URL(name, uri)
    if (url.origin !== origin) continue
    url.hash = ''
    uris.add(url.href)
    // The path as it is written: a call writes some characters as they are that a URL encodes.
    if (name.startsWith('/') && !name.startsWith('//')) uris.add(origin + (name.split('#', 1)[0] as string))
  }
  return [...uris]
}

/** Waits for stores until they have confirmed, have failed or are late, or the call is given up. */
class Confirmation extends Abortable {
  readonly #call: LiveCall<unknown>
  readonly #invalidations: Invalidations
  readonly #settle: () => void
  readonly #onFault: (cause: unknown) => void
  readonly #timer: Timer
  #isSettled = false
  #isLate = false

  constructor(
    call: LiveCall<unknown>,
    invalidations: Invalidations,
    settle: () => void,
    onFault: (cause: unknown) => void,
  ) {
    super()
    this.#call = call
    this.#invalidations = invalidations
    this.#settle = settle
    this.#onFault = onFault
    this.#timer = invalidations.timeout.start(this)
  }

  wait(pending: Promise<unknown>): void {
    pending.then(
      () => this.#end(),
      cause => {
        if (!this.#isLate) this.#onFault(cause)
        this.#end()
      },
    )
    if (this.#call.abort.aborted) this.#end()
    else this.#call.abort.add(this)
  }

  /** Called by the timer, and by the abort of the call, whose result is known already. */
  onAbort(reason: unknown): void {
    if (reason === Invalidations.late) {
      this.#isLate = true
      this.#onFault(lateError())
    }
    this.#end()
  }

  #end(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#call.abort.delete(this)
    this.#invalidations.timeout.stop(this.#timer)
    this.#settle()
  }
}
