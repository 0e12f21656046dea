import type { FastifyError, FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { checkOffloads } from '../fanout/offload/check-offloads.ts'
import type { Override, Runtime, RuntimeOptions } from '../upstream/runtime.ts'
import type { Layers } from '../upstream/spec/layers.ts'
import { aggregateRoutes } from './aggregate-routes.ts'
import { acceptJsonBodies } from './bodies/json-bodies.ts'
import { fastifyPath } from './routing/path-template.ts'
import { InboundBodies } from './bodies/inbound-bodies.ts'
import type { LoadGauge } from './reply/route-services.ts'
import { loggedRuntime } from './log/logged-runtime.ts'
import { defaultPressureLimits } from './guard/pressure.ts'
import { errorHandler } from './problems/problem-handler.ts'
import { addRequestId } from './request/request-id.ts'
import { describeRoutes } from './openapi/swagger.ts'
import { closeIfUnread } from './connection/unread-body.ts'

export interface HeadwatersOptions {
  readonly aggregates: readonly AnyAggregate[]
  /** What is set for an upstream from outside its declaration, by its name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** What `env('NAME')` of a declaration reads, for example `process.env`. @default {} */
  readonly environment?: RuntimeOptions['environment']
  /** Own layers around every upstream, outermost first. @default [] */
  readonly layers?: Layers
  /** The threads in which offloaded functions run. @default those of `ThreadOptions` */
  readonly threads?: RuntimeOptions['threads']
  /** A runtime to share with others; whoever made it closes it. @default one of its own, which closes with the app */
  readonly runtime?: Runtime
  /**
   * Counts the runs of these routes, and says whether one that starts is to leave out its optional steps.
   * @default none
   */
  readonly load?: LoadGauge
  /**
   * Whether each route has a `schema` that says what it takes and answers, for `@fastify/swagger` and its like.
   * @default true
   */
  readonly describe?: boolean
  /**
   * The most bytes that the request bodies these routes are receiving may have together; 0 is no limit.
   * @default 64 MiB
   */
  readonly bodiesBytes?: number
}

/** Options of the registration by the service itself. */
export interface ServiceOptions extends HeadwatersOptions {
  /** The bodies that are being received. @default those of this registration, with a limit of `bodiesBytes` */
  readonly bodies?: InboundBodies
}

/** A Fastify app of whatever copy and version: the types of two copies do not fit each other, though the apps do. */
export interface AnyFastify {
  readonly version: string
  readonly prefix: string
}

/**
 * Serves aggregates as routes of somebody's Fastify app: `app.register(headwaters, { aggregates, prefix: '/api' })`.
 * The app's hooks run around them and its error handler gets their failures (a `Problem` has `statusCode` and
 * `toJSON`); where it has none, they are answered as `application/problem+json`.
 */
export async function headwaters(
  host: AnyFastify,
  {
    aggregates,
    overrides,
    environment,
    layers,
    threads,
    runtime,
    load,
    describe = true,
    bodiesBytes = defaultPressureLimits.bodiesBytes,
    bodies = new InboundBodies(bodiesBytes),
  }: ServiceOptions,
): Promise<void> {
  const app = host as FastifyInstance
  check(app, aggregates)
  if (runtime !== undefined && overrides !== undefined)
    throw new TypeError(
      'headwaters: a given runtime has its own overrides: give them to createRuntime, or leave runtime out',
    )
  if (runtime !== undefined && environment !== undefined)
    throw new TypeError(
      'headwaters: a given runtime has its own environment: give it to createRuntime, or leave runtime out',
    )
  if (runtime !== undefined && layers !== undefined)
    throw new TypeError(
      'headwaters: a given runtime has its own layers: give layers to createRuntime, or leave runtime out',
    )
  if (runtime !== undefined && threads !== undefined)
    throw new TypeError(
      'headwaters: a given runtime has its own threads: give threads to createRuntime, or leave runtime out',
    )
  const own =
    runtime ??
    loggedRuntime(app.log, {
      overrides: overrides ?? {},
      environment: environment ?? {},
      layers: layers ?? {},
      threads: threads ?? {},
    })
  await checkOffloads(aggregates)
  acceptJsonBodies(app, bodies)
  closeUnread(app)
  addRequestId(app)
  handleErrors(app)
  aggregateRoutes(describe ? describeRoutes(app, aggregates) : app, aggregates, {
    runtime: own,
    load,
    warned: new Set(),
  })
  if (runtime === undefined) app.addHook('onClose', () => own.close())
}

/** Refuses what cannot be served, where Fastify would name neither the aggregate nor the fix. */
function check(app: FastifyInstance, aggregates: readonly AnyAggregate[]): void {
  if (!Array.isArray(aggregates))
    throw new TypeError('headwaters: needs a list of aggregates: app.register(headwaters, { aggregates: [catFacts] })')
  const taken = new Map<string, string>()
  for (const [index, aggregate] of (aggregates as readonly (Partial<AnyAggregate> | undefined)[]).entries()) {
    const { name, route, schema } = aggregate ?? {}
    if (name === undefined || route === undefined || schema === undefined)
      throw new TypeError(`headwaters: aggregates[${index}] is no aggregate: is its reply(…) missing?`)
    const { method } = route
    const url = app.prefix.replace(/\/$/, '') + fastifyPath(route.url)
    // What a parameter is called does not make another place of it.
    const place = `${method} ${route.url.replaceAll(/\{[^{}]*\}/g, '{}')}`
    const other = taken.get(place)
    if (other !== undefined)
      throw new TypeError(
        `headwaters: the aggregates '${other}' and '${name}' are both ${method} ${url}: change the url of one`,
      )
    if (app.hasRoute({ method, url }))
      throw new TypeError(
        `headwaters: ${method} ${url} (aggregate '${name}') is already a route of this app: register it once, or under another prefix`,
      )
    taken.set(place, name)
  }
}

/** Closes the connection of a request whose answer goes out before a body that is large or of unknown length. */
function closeUnread(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (closeIfUnread(request.raw, reply.raw)) reply.header('connection', 'close')
    done(null, payload)
  })
}

/** Leaves failures to the app's own error handler; where it has none, those that are ours are answered as problems. */
function handleErrors(app: FastifyInstance): void {
  const theirs = app.errorHandler
  if (theirs === errorHandler) return
  const hasNone = theirs.name === 'defaultErrorHandler'
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (hasNone && isOurs(error)) return errorHandler(error, request, reply)
    // Their handler need not know of it.
    if (error instanceof Problem && error.retryAfterSeconds !== undefined)
      reply.header('retry-after', String(error.retryAfterSeconds))
    // An error that is thrown here goes to the handler around this one, which is theirs; anything else would be taken
    // for an answer.
    if (error instanceof Error) throw error
    return theirs.call(app, error, request, reply)
  })
}

/** Whether an aggregate or the reading of its body failed, and not a hook of the app's. */
function isOurs(error: FastifyError | null | undefined): boolean {
  return error instanceof Problem || (typeof error?.code === 'string' && error.code.startsWith('FST_ERR_CTP_'))
}
