import type { FastifyPluginCallback } from 'fastify'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { createRuntime, type Override, type Runtime } from '../upstream/runtime.ts'
import { aggregateRoutes } from './aggregates.ts'
import { jsonBodies } from './bodies.ts'
import { answerProblem } from './problems.ts'
import { requestId } from './request-id.ts'

export interface HeadwatersOptions {
  readonly aggregates: readonly AnyAggregate[]
  /** What is set for an upstream from outside its declaration, by its name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** A runtime to share with others, whoever made it closes it. @default one of its own, which closes with the app */
  readonly runtime?: Runtime
}

/**
 * Serves aggregates as routes of somebody's Fastify app: `app.register(headwaters, { aggregates, prefix: '/api' })`.
 * The app's hooks run around them and its error handler gets their failures (a `Problem` has `statusCode` and `toJSON`);
 * where it has none, they are answered as `application/problem+json`.
 */
export const headwaters: FastifyPluginCallback<HeadwatersOptions> = (app, { aggregates, overrides = {}, runtime }, done) => {
  const own = runtime ?? createRuntime({ overrides })
  jsonBodies(app)
  requestId(app)
  if (app.errorHandler.name === 'defaultErrorHandler') app.setErrorHandler(answerProblem)
  aggregateRoutes(app, aggregates, own)
  if (runtime === undefined) app.addHook('onClose', () => own.close())
  done()
}
