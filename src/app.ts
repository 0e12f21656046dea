import { METHODS } from 'node:http'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { AnyAggregate } from './fanout/aggregate.ts'
import { drain } from './plugins/drain.ts'
import { explorer } from './plugins/explorer.ts'
import { framing, serverOptions } from './plugins/framing.ts'
import { headwaters } from './plugins/headwaters.ts'
import { health, type Readiness } from './plugins/health.ts'
import { openapi } from './plugins/openapi/serve.ts'
import { answerProblem, problems } from './plugins/problems.ts'
import { requestId, requestIdOf } from './plugins/request-id.ts'
import type { Override, RuntimeOptions } from './upstream/runtime.ts'
import type { Use } from './upstream/use.ts'

export interface AppOptions {
  /** What is set for an upstream from outside its declaration, by its name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** Own layers around every upstream, outermost first. @default [] */
  readonly use?: readonly Use[]
  /** What `env('NAME')` of a declaration reads. @default {} */
  readonly environment?: RuntimeOptions['environment']
  /** Fastify's logger options. @default false */
  readonly logger?: FastifyServerOptions['logger']
}

/** Builds an app that serves aggregates; it has a runtime of its own, which closes with it. Nothing listens yet. */
export function buildApp (aggregates: readonly AnyAggregate[], { overrides = {}, environment = {}, use = [], logger = false }: AppOptions = {}): FastifyInstance {
  const readiness: Readiness = { isDraining: false }
  const app = fastify({
    logger,
    bodyLimit: 1024 * 1024,
    requestTimeout: serverOptions.requestTimeout,
    // What is too long is for a schema to say, not for the router.
    routerOptions: { maxParamLength: 16 * 1024 },
    // Draining refuses new work itself, as a problem.
    return503OnClosing: false,
    http: serverOptions,
    genReqId: requestIdOf,
    frameworkErrors: (error, request, reply) => { answerProblem(error, request, reply) },
    // It answers by itself, as on any server of ours.
    clientErrorHandler: () => {},
  })

  // Every method that Node reads, so that one an aggregate does not answer is 405 and not 404.
  for (const method of METHODS) if (!app.supportedMethods.includes(method) && method !== 'CONNECT') app.addHttpMethod(method)
  problems(app)
  requestId(app)
  // Counts a request before anything can refuse it.
  drain(app, readiness)
  framing(app)
  health(app, readiness)
  void app.register(headwaters, { aggregates, overrides, environment, use, describe: false })
  openapi(app, { aggregates })
  explorer(app)
  return app
}
