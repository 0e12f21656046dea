import type { z } from 'zod'
import type { LiveCall } from '../../call/live-call.ts'
import { namesCaller } from '../../../core/names-caller.ts'
import { inboundHeaders } from '../../call/inbound.ts'
import { contentOf } from '../../call/write-body/request-body.ts'
import type { LayerCall, value } from '../../spec/layer-types.ts'
import { checkObject } from '../../../core/option-values.ts'
import { checkHeader } from '../../spec/check-headers.ts'
import type { Answer } from '../../call/layer.ts'
import type { LayerInvocation } from './layer-invocation.ts'

type Headers = Readonly<Record<string, string>>

const none: Headers = Object.freeze({})

/** Implements the call that a custom layer receives. The interface documents its members. */
export class CustomLayerCall<out T, out C = unknown> implements LayerCall<T, C> {
  declare readonly [value]: T
  readonly #live: LiveCall<T>
  readonly #invocation: LayerInvocation<T>
  /** The schema of the context; `undefined` for a layer that takes any context. */
  readonly #schema: z.ZodType | undefined

  constructor(live: LiveCall<T>, invocation: LayerInvocation<T>, schema?: z.ZodType) {
    this.#live = live
    this.#invocation = invocation
    this.#schema = schema
  }

  /** Returns the same call for a layer whose context has a schema. */
  static withContext<T, S extends z.ZodType>(call: LayerCall<T>, schema: S): CustomLayerCall<T, z.output<S>> {
    const own = call as CustomLayerCall<T>
    return new CustomLayerCall(own.#live, own.#invocation, schema)
  }

  /** Sends a call to the service below its layer. */
  static pass<T>(call: LayerCall<T>): Promise<Answer<T>> {
    const own = call as CustomLayerCall<T>
    if (!(#live in own))
      throw new TypeError('next must be called with the call of the layer, or with the result of call.with(…)')
    return own.#invocation.send(own.#live)
  }

  get operation(): string {
    return this.#live.spec.name
  }

  get method(): string {
    return this.#live.spec.method
  }

  get path(): string {
    return this.#live.path
  }

  get body(): string | Uint8Array | undefined {
    return contentOf(this.#live.body)
  }

  get idempotencyKey(): string | undefined {
    return this.#live.idempotencyKey
  }

  get headers(): Headers {
    const { headers } = this.#live
    return headers === undefined ? none : inboundHeaders(headers)
  }

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

  get context(): C {
    if (this.#invocation.at === 'attempt')
      throw new TypeError(
        `${this.operation}: an attempt has no context, because callers may share it: list the layer in layers.call`,
      )
    const { context } = this.#live.scope
    return (this.#schema === undefined ? context : this.#parsed(this.#schema, context)) as C
  }

  #parsed(schema: z.ZodType, context: unknown): unknown {
    const { success, data, error } = schema.safeParse(context)
    if (success) return data
    const [{ path, message }] = error.issues as [z.core.$ZodIssue]
    throw new TypeError(
      `${this.operation}: ${this.#invocation.layer} cannot read its context` +
        `${path.length === 0 ? '' : `, at /${path.join('/')}`}: ${message}: ` +
        'return it from context() of the aggregate, or give withContext() a schema that allows it to be absent',
      { cause: error },
    )
  }

  get origin(): string | undefined {
    return this.#invocation.at === 'attempt' ? this.#live.attempt.origin?.text : undefined
  }

  get attempt(): number {
    return this.#live.effort.attempts
  }

  get remaining(): number {
    const { scope } = this.#live
    return Math.max(0, scope.deadline - scope.now())
  }

  get signal(): AbortSignal {
    return this.#live.abort.signal
  }

  with(change: { readonly headers: Headers }): CustomLayerCall<T, C> {
    const headers = (change as { readonly headers: Headers } | undefined | null)?.headers as Headers
    this.#checkHeaders(headers)
    // Without a prototype, `__proto__` is a header name like any other.
    const lower = Object.create(null) as Record<string, string>
    for (const name of Object.keys(headers)) {
      const value = headers[name] as string
      this.#checkHeader(name, value)
      const key = name.toLowerCase()
      if (Object.hasOwn(lower, key))
        throw new TypeError(`${this.operation}: a layer sets the header '${name}' in two spellings: keep one`)
      lower[key] = value
      // A layer of `layers.attempt` does not know the caller, so its headers identify the service.
      if (this.#invocation.at === 'call' && namesCaller(key)) this.#live.effort.namesCaller = true
    }
    return new CustomLayerCall(this.#live.withHeaders(lower), this.#invocation, this.#schema)
  }

  #checkHeaders(headers: unknown): void {
    try {
      checkObject(this.operation, 'headers of call.with()', headers, "{ 'x-a': '1' }")
    } catch (error) {
      throw this.#named(error as Error)
    }
  }

  #checkHeader(name: string, value: unknown): void {
    try {
      checkHeader(this.operation, name, value)
    } catch (error) {
      throw this.#named(error as Error)
    }
  }

  /** Returns an error that also names the layer. */
  #named(cause: Error): TypeError {
    return new TypeError(`${this.#invocation.layer}: ${cause.message}`, { cause })
  }
}
