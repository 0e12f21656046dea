import { UpstreamError } from '../../errors.ts'
import type { LiveCall } from '../call/live-call.ts'
import { callbackLayer, type Answer, type Completion, type Layer, type Send } from '../call/layer.ts'
import { locationOf } from '../call/redirect-location.ts'
import { redirectPath, type RedirectScope } from '../spec/redirect-path.ts'

export interface RedirectOptions extends RedirectScope {
  readonly upstream: string
  /** The limit on the redirects of one attempt. */
  readonly limit: number
}

/**
 * Follows the redirects of a safe call within the origin and the base path of its upstream. All requests of an attempt
 * share its timeout and its permit. A redirect that is not followed fails the attempt with its status, and so does each
 * redirect of a call whose body is a stream.
 */
export function redirect(options: RedirectOptions): Layer {
  return callbackLayer(next => (call, completion) => {
    if (call.spec.safe && !call.isOneShot) next(call, new RedirectedCall(next, call, completion, options))
    else next(call, completion)
  })
}

/** One attempt of a call, and the requests to which redirects lead. */
class RedirectedCall<T> implements Completion<T> {
  readonly #next: Send
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #options: RedirectOptions
  /** The paths of all requests, in their order. */
  readonly #paths: string[]
  /** Resolves when the redirected requests that ended early no longer use the transport. */
  #held: Promise<void> | undefined

  constructor(next: Send, call: LiveCall<T>, completion: Completion<T>, options: RedirectOptions) {
    this.#next = next
    this.#call = call
    this.#completion = completion
    this.#options = options
    this.#paths = [call.path]
  }

  resolve(answer: Answer<T>): void {
    if (this.#paths.length === 1) return this.#completion.resolve(answer)
    this.#holdPermit()
    // The freshness of the answer belongs to its own URI. The cache does not store an answer without `received`.
    const { value, status } = answer
    this.#completion.resolve({ value, status })
  }

  reject(error: unknown): void {
    const location = locationOf(error)
    if (
      location === undefined ||
      !keepsMethod(this.#call.spec.method, (error as UpstreamError).upstreamStatus as number)
    )
      return this.#fail(error)
    const origin = this.#call.attempt.origin?.text ?? this.#options.origin
    const found = redirectPath(location, this.#paths.at(-1) as string, { ...this.#options, origin })
    if ('fault' in found) return this.#refuse(error as UpstreamError, found.fault)
    if (this.#paths.includes(found.path)) return this.#refuse(error as UpstreamError, 'its redirects form a loop')
    const { limit } = this.#options
    if (this.#paths.length > limit)
      return this.#refuse(error as UpstreamError, `it redirects more than ${limit} time${limit === 1 ? '' : 's'}`)
    this.#paths.push(found.path)
    this.#release()
    this.#next(redirected(this.#call, found.path), this)
  }

  #refuse({ upstreamStatus = 0 }: UpstreamError, fault: string): void {
    const { upstream } = this.#options
    const detail = `status ${upstreamStatus}: ${fault}`
    this.#fail(new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus, detail }))
  }

  #fail(error: unknown): void {
    this.#holdPermit()
    this.#completion.reject(error)
  }

  /** Takes over the rest of a redirected response that is still on its connection. */
  #release(): void {
    const { attempt } = this.#call
    const { held } = attempt
    if (held === undefined) return
    const before = this.#held
    this.#held = before === undefined ? held : before.then(() => held)
    attempt.held = undefined
  }

  /** Keeps the permit until the redirected responses have left their connections too. */
  #holdPermit(): void {
    const { attempt } = this.#call
    const before = this.#held
    const last = attempt.held
    if (before !== undefined) attempt.held = last === undefined ? before : before.then(() => last)
  }
}

/**
 * Returns whether a redirected request has the same method (RFC 9110, section 15.4). A 303 asks for a GET. A 301 or a
 * 302 may turn a POST into a GET, which is another operation.
 */
function keepsMethod(method: string, status: number): boolean {
  if (status === 303) return method === 'GET' || method === 'HEAD'
  return method !== 'POST' || status === 307 || status === 308
}

/** Returns the same attempt with another path, without the conditions that the cache added for the first one. */
function redirected<T>(call: LiveCall<T>, path: string): LiveCall<T> {
  const { isConditional, headers } = call
  const other = Object.assign(call.withAbort(call.abort), { path })
  if (!isConditional) return other
  const { 'if-none-match': _, 'if-modified-since': __, ...rest } = headers as Readonly<Record<string, string>>
  return Object.assign(other, { headers: rest, isConditional: false })
}
