import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorCode, Problem } from '../../errors.ts'
import { methods } from '../../metrics/label-values.ts'
import type { RequestMetrics, RouteMetrics, Scheme } from '../../metrics/request-metrics.ts'

/** The key of the record of a response. It is null when the request is counted. */
const recordKey = Symbol('headwaters.request record')

type Response = ServerResponse & { [recordKey]?: RequestRecord | null }

/** An aggregate and its route, as far as its labels need it. */
interface CountedRoute {
  readonly name: string
  readonly route: { readonly method: string; readonly url: string }
}

/** A request in flight. */
export class RequestRecord {
  readonly counter: RequestCounter
  readonly reply: FastifyReply
  /** The index of the method in its label. */
  readonly method: number
  readonly scheme: Scheme
  /** The route of the aggregate that handles the request. */
  route: RouteMetrics | undefined = undefined
  /** True if a run was started. Its failure is not a refusal. */
  hasRun = false
  isRefused = false
  /** The id of the trace of the run, if it is sampled. */
  traceId: string | undefined = undefined

  constructor(counter: RequestCounter, request: FastifyRequest, reply: FastifyReply) {
    this.counter = counter
    this.reply = reply
    this.method = methods.indexOf(request.method)
    this.scheme = schemeOf(request.raw)
  }
}

/**
 * Counts the requests of one app or of one registration of the plugin, each once: when its reply is sent, or when its
 * connection closes before.
 */
export class RequestCounter {
  readonly #metrics: RequestMetrics
  readonly #unknown: RouteMetrics
  /** The routes of aggregates by method and registered URL. */
  readonly #registered = new Map<string, RouteMetrics>()
  readonly #aggregates = new WeakMap<CountedRoute, RouteMetrics>()
  /** The metrics of each route by its options in Fastify, from its first request on. */
  readonly #routes = new WeakMap<object, RouteMetrics>()
  #inFlight = 0
  #onIdle: (() => void) | undefined

  constructor(metrics: RequestMetrics) {
    this.#metrics = metrics
    this.#unknown = metrics.route('', '')
  }

  /** Adds the route of an aggregate. `url` is its URL in the syntax of Fastify. */
  add(aggregate: CountedRoute, prefix: string, url: string): void {
    const { name, route } = aggregate
    const counts = this.#metrics.route(prefix + route.url, name)
    this.#aggregates.set(aggregate, counts)
    this.#registered.set(`${route.method} ${prefix}${url}`, counts)
  }

  /** Starts to count a request, unless it is counted already. */
  start(request: FastifyRequest, reply: FastifyReply): void {
    const raw: Response = reply.raw
    if (raw[recordKey] !== undefined) return
    const record = new RequestRecord(this, request, reply)
    raw[recordKey] = record
    this.#inFlight++
    this.#metrics.started(record.method, record.scheme)
    raw.on('close', endOnClose)
  }

  /** Counts a refusal of bytes that were not parsed as a request. */
  refused(code: ErrorCode): void {
    this.#metrics.refused(code)
  }

  /** Counts a request that was refused before it was routed. It took no time worth measuring. */
  refusedAtServer(aggregate: CountedRoute | undefined, raw: IncomingMessage, { code, statusCode }: Problem): void {
    const route = (aggregate && this.#aggregates.get(aggregate)) ?? this.#unknown
    route.ended(methods.indexOf(raw.method as string), schemeOf(raw), statusCode, 0, undefined)
    this.#metrics.refused(code)
  }

  /** Returns the metrics of the route of an aggregate. */
  routeOf(aggregate: CountedRoute): RouteMetrics | undefined {
    return this.#aggregates.get(aggregate)
  }

  /** Counts the end of a request. `status` is undefined if the connection closed before the reply began. */
  end({ reply, method, scheme, route, traceId }: RequestRecord, status: number | undefined): void {
    this.#metrics.left(method, scheme)
    if (--this.#inFlight === 0) this.#onIdle?.()
    const own = route ?? this.#matched(reply.request)
    own.ended(method, scheme, status, reply.elapsedTime, traceId)
  }

  /** Calls a function when no request is in flight: now, or after the last one. */
  onIdle(call: () => void): void {
    this.#onIdle = call
    if (this.#inFlight === 0) call()
  }

  #matched(request: FastifyRequest): RouteMetrics {
    if (request.is404) return this.#unknown
    const { config } = request.routeOptions
    let route = this.#routes.get(config)
    if (route === undefined) this.#routes.set(config, (route = this.#create(config)))
    return route
  }

  #create({ url, method }: { readonly url: string; readonly method: string | readonly string[] }): RouteMetrics {
    const aggregate = this.#registered.get(`${method === 'HEAD' ? 'GET' : String(method)} ${url}`)
    if (aggregate !== undefined) return aggregate
    // A route for OPTIONS or for several methods refuses the methods that have no route of their own.
    return typeof method === 'string' && method !== 'OPTIONS' ? this.#metrics.route(url, '') : this.#unknown
  }
}

/** Counts the requests of an app. Add it before all hooks that refuse requests. */
export function countRequests(app: FastifyInstance, counter: RequestCounter): void {
  app.addHook('onRequest', (request, reply, done) => {
    counter.start(request, reply)
    done()
  })
  // A hook of the app around a plugin may have refused the request before the hook above.
  app.addHook('onResponse', (request, reply, done) => {
    counter.start(request, reply)
    endOnClose.call(reply.raw)
    done()
  })
}

/** Returns the record of a request in flight. */
export function recordOf(raw: Response): RequestRecord | undefined {
  return raw[recordKey] ?? undefined
}

/** Counts the refusal of a request once. A failure of its run is not a refusal. */
export function countRefusal({ raw }: FastifyReply, code: ErrorCode): void {
  const record = recordOf(raw)
  if (record === undefined || record.hasRun || record.isRefused) return
  record.isRefused = true
  record.counter.refused(code)
}

/** Counts the end of a request whose problem is written to its connection without its response object. */
export function countRawReply(raw: Response, { code, statusCode }: Problem): void {
  const record = recordOf(raw)
  if (record === undefined) return
  countRefusal(record.reply, code)
  raw[recordKey] = null
  record.counter.end(record, statusCode)
}

/** One listener function for all responses. */
function endOnClose(this: Response): void {
  const { [recordKey]: record } = this
  if (record === undefined || record === null) return
  this[recordKey] = null
  record.counter.end(record, this.headersSent ? this.statusCode : undefined)
}

function schemeOf({ socket }: IncomingMessage): Scheme {
  return (socket as TLSSocket | undefined)?.encrypted === true ? 'https' : 'http'
}
