import type { LiveCall } from '../../call/call.ts'
import { namesCaller } from '../../call/callers-limit.ts'
import { inboundHeaders } from '../../call/inbound.ts'
import { checkHeader } from '../../spec/spec.ts'
import type { Answer } from '../layer.ts'
import type { LayerInvocation } from './layer-invocation.ts'

type Headers = Readonly<Record<string, string>>

const none: Headers = Object.freeze({})

/** A call as a custom layer sees it, and passes to `next`. */
export class LayerCall<out T> {
  readonly #live: LiveCall<T>
  readonly #invocation: LayerInvocation<T>

  constructor(live: LiveCall<T>, invocation: LayerInvocation<T>) {
    this.#live = live
    this.#invocation = invocation
  }

  /** Sends a call on to what stands below the layer that it was given to. */
  static pass<T>(call: LayerCall<T>): Promise<Answer<T>> {
    if (!(#live in call))
      throw new TypeError('next takes the call that the layer was given, or what call.with(…) made of it')
    return call.#invocation.send(call.#live)
  }

  /** The operation's name, for example `catfact-ninja.fact`. */
  get operation(): string {
    return this.#live.spec.name
  }

  get method(): string {
    return this.#live.spec.method
  }

  /** Path and query, encoded; below the upstream's prefix. */
  get path(): string {
    return this.#live.path
  }

  /** The body as it is sent. */
  get body(): string | undefined {
    return this.#live.body
  }

  get idempotencyKey(): string | undefined {
    return this.#live.idempotencyKey
  }

  /** Headers that layers have given it so far, listed in lower case; a name is found in any case. */
  get headers(): Headers {
    const { headers } = this.#live
    return headers === undefined ? none : inboundHeaders(headers)
  }

  /**
   * Headers of the request that came in, listed in lower case; a name is found in any case. At an attempt only those
   * that the upstream's
   * `forwardHeaders` names: it may be shared by callers who differ in the others. At a call, the reply's `vary` names each
   * header that is read here, and a layer that lists the names (`Object.keys`, a spread, `JSON.stringify`) makes the
   * reply `no-store`.
   */
  get inbound(): Readonly<Record<string, string | undefined>> {
    const { scope, spec } = this.#live
    if (this.#invocation.at === 'call') return inboundHeaders(scope.headers, scope.reads)
    return inboundHeaders(
      Object.fromEntries(
        spec.upstream.forwardHeaders
          .filter(name => Object.hasOwn(scope.headers, name) && scope.headers[name] !== undefined)
          .map(name => [name, scope.headers[name]]),
      ),
    )
  }

  /**
   * The value that `context()` returned for the request, if the aggregate has one. At a call only: an attempt may be shared by callers who differ in it.
   */
  get context(): unknown {
    if (this.#invocation.at === 'call') return this.#live.scope.context
    throw new TypeError(
      `${this.operation}: an attempt has no context, since callers may share it: list the layer in layers.call`,
    )
  }

  /** How often the call was sent, this time included; 0 at a call. */
  get attempt(): number {
    return this.#live.effort.attempts
  }

  /** What is left until the deadline, in ms. */
  get remaining(): number {
    const { scope } = this.#live
    return Math.max(0, scope.deadline - scope.now())
  }

  /** Aborted when the call is given up. */
  get signal(): AbortSignal {
    return this.#live.abort.signal
  }

  /** The same call with more headers, which stand over all others of their names. */
  with({ headers }: { readonly headers: Headers }): LayerCall<T> {
    // `__proto__` is a header like any other.
    const lower = Object.create(null) as Record<string, string>
    for (const [name, value] of Object.entries(headers)) {
      checkHeader(this.operation, name, value)
      const key = name.toLowerCase()
      if (Object.hasOwn(lower, key))
        throw new TypeError(`${this.operation}: a layer gives the header '${name}' in two spellings: keep one`)
      lower[key] = value
      // A layer at an attempt knows no caller, so what it adds is ours.
      if (this.#invocation.at === 'call' && namesCaller(key)) this.#live.effort.namesCaller = true
    }
    return new LayerCall(this.#live.withHeaders(lower), this.#invocation)
  }
}
