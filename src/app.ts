import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { AnyAggregate } from './fanout/aggregate.ts'
import { aggregateRoutes } from './plugins/aggregates.ts'
import { drain } from './plugins/drain.ts'
import { health, type Readiness } from './plugins/health.ts'
import { answerNonsense, answerProblem, problems } from './plugins/problems.ts'
import { createRuntime, type Override } from './upstream/runtime.ts'

export interface AppOptions {
  /** What is set for an upstream from outside its declaration, by its name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** Fastify's logger options. @default false */
  readonly logger?: FastifyServerOptions['logger']
}

/** Builds an app that serves aggregates; it has a runtime of its own, which closes with it. Nothing listens yet. */
export function buildApp (aggregates: readonly AnyAggregate[], { overrides = {}, logger = false }: AppOptions = {}): FastifyInstance {
  const runtime = createRuntime({ overrides })
  const readiness: Readiness = { isDraining: false }
  const app = fastify({
    logger: logger ?? false,
    bodyLimit: 1024 * 1024,
    // What is too long is for a schema to say, not for the router.
    routerOptions: { maxParamLength: 16 * 1024 },
    // Draining refuses new work itself, as a problem.
    return503OnClosing: false,
    frameworkErrors: answerProblem,
    clientErrorHandler: answerNonsense,
  })

  problems(app)
  drain(app, readiness)
  health(app, readiness)
  aggregateRoutes(app, aggregates, runtime)
  app.addHook('onClose', () => runtime.close())
  return app
}
