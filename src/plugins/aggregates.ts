import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { Runtime } from '../upstream/runtime.ts'
import { answer } from './answer.ts'

/** Gives each aggregate its route; other methods at its URL are told what it answers. */
export function aggregateRoutes (app: FastifyInstance, aggregates: readonly AnyAggregate[], runtime: Runtime): void {
  const served = new Map<string, string[]>()
  for (const aggregate of aggregates) {
    const { method } = aggregate.route
    const url = aggregate.route.url.replaceAll(/\{([^{}]*)\}/g, ':$1')
    served.set(url, [...served.get(url) ?? [], method])
    app.route({ method, url, exposeHeadRoute: method === 'GET', handler: (request, reply) => answer(aggregate, runtime, request, reply) })
  }
  for (const [url, methods] of served) otherMethods(app, url, methods)
}

/** `OPTIONS` says what a URL answers, without a fan-out; any other method is 405. */
function otherMethods (app: FastifyInstance, url: string, served: readonly string[]): void {
  const methods = [...served.includes('GET') ? ['HEAD'] : [], ...served, 'OPTIONS']
  const allow = methods.join(', ')
  app.route({ method: 'OPTIONS', url, handler: (_request, reply) => reply.code(204).header('allow', allow).send() })
  const others = app.supportedMethods.filter(method => !methods.includes(method))
  app.route({
    method: others,
    url,
    exposeHeadRoute: false,
    handler: (_request, reply) => {
      reply.header('allow', allow)
      throw new Problem('METHOD_NOT_ALLOWED', { detail: `This answers ${allow}.` })
    },
  })
}
