import { Abortable } from '../../../core/abort.ts'
import type { Effort } from '../../call/attempt.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { callbackLayer, type Answer, type Completion, type Layer } from '../../call/layer.ts'
import type { Invalidations } from './invalidations.ts'

export interface InvalidateOptions {
  /** The origin of the upstream. */
  readonly origin: string
  /** The origin with the prefix of its paths. Together with the path of a call it is the URI of the call. */
  readonly base: string
  readonly invalidations: Invalidations
  /** Called with the cause of an invalidation that failed. */
  readonly onFault: (cause: unknown) => void
}

/**
 * Invalidates the stored answers of a URI after an unsafe call to it. The call has succeeded, was answered 2xx or 3xx,
 * or has an unknown outcome (RFC 9111, section 4.4). `Location` and `Content-Location` of the response are invalidated
 * too. An answer of `responses` with a status from 400 on is not a success.
 *
 * The call ends when the stores have confirmed the invalidation, have failed or are late. It does not wait for a store
 * that was late a short time ago. A failed invalidation never fails the call.
 */
export function invalidate(options: InvalidateOptions): Layer {
  return callbackLayer(next => (call, completion) => {
    if (call.spec.safe) next(call, completion)
    else next(call, new UnsafeCall(call, completion, options))
  })
}

/** Receives the result of an unsafe call, and passes it on when the URIs that the call has changed are invalid. */
class UnsafeCall<T> extends Abortable implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #options: InvalidateOptions
  #answer: Answer<T> | undefined
  #error: unknown
  #isSettled = false

  constructor(call: LiveCall<T>, completion: Completion<T>, options: InvalidateOptions) {
    super()
    this.#call = call
    this.#completion = completion
    this.#options = options
  }

  resolve(answer: Answer<T>): void {
    this.#answer = answer
    const { effort, spec } = this.#call
    if (effort.changed === undefined && spec.responses !== undefined && answer.status >= 400) this.#settle()
    else this.#invalidate()
  }

  reject(error: unknown): void {
    this.#error = error
    if (this.#call.effort.changed === undefined) this.#settle()
    else this.#invalidate()
  }

  #invalidate(): void {
    const { origin, base, invalidations } = this.#options
    const targets = invalidations.targetsOf(origin)
    const { path, effort } = this.#call
    const pending = targets && invalidations.invalidate(targets, changedUris(origin, base + path, effort))
    if (pending === undefined) this.#settle()
    else this.#wait(pending)
  }

  /** Waits until the stores have confirmed, have failed or are late, or the call is aborted. */
  #wait(pending: Promise<unknown>): void {
    const { invalidations, onFault } = this.#options
    invalidations.watch(pending, onFault, () => this.#settle())
    if (this.#call.abort.aborted || invalidations.isLate) this.#settle()
    else this.#call.abort.add(this)
  }

  /** Called when the call is aborted. Its result is already known. */
  onAbort(): void {
    this.#settle()
  }

  #settle(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#call.abort.delete(this)
    if (this.#answer === undefined) this.#completion.reject(this.#error)
    else this.#completion.resolve(this.#answer)
  }
}

/** Returns the URI of a call, and the URIs of its upstream that `Location` and `Content-Location` name. */
function changedUris(origin: string, uri: string, { changed, changedAt }: Effort): readonly string[] {
  if (changed === undefined) return [uri]
  const uris = new Set([uri])
  for (const name of [changed['location'], changed['content-location']]) {
    if (typeof name !== 'string' || !URL.canParse(name, uri)) continue
    const url = new URL(name, uri)
    url.hash = ''
    if (url.origin === origin) uris.add(url.href)
    else if (url.origin === changedAt) uris.add(origin + url.pathname + url.search)
    else continue
    // Adds the unencoded path too, because a call does not encode some characters that a URL encodes.
    if (name.startsWith('/') && !name.startsWith('//')) uris.add(origin + (name.split('#', 1)[0] as string))
  }
  return [...uris]
}
