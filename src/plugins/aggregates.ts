import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { Runtime } from '../upstream/runtime.ts'
import { answer } from './answer.ts'

/** Gives each aggregate its route; other methods at its URL are told what it answers. */
export function aggregateRoutes (app: FastifyInstance, aggregates: readonly AnyAggregate[], runtime: Runtime): void {
  const places = new Map<string, { readonly url: string, readonly methods: string[] }>()
  for (const aggregate of aggregates) {
    const { method } = aggregate.route
    const url = aggregate.route.url.replaceAll(/\{([^{}]*)\}/g, ':$1')
    // One place, whatever each aggregate calls its parameters.
    const place = aggregate.route.url.replaceAll(/\{[^{}]*\}/g, ':')
    const { methods } = places.get(place) ?? places.set(place, { url, methods: [] }).get(place) as { methods: string[] }
    methods.push(method)
    app.route({ method, url, exposeHeadRoute: method === 'GET', handler: (request, reply) => answer(aggregate, runtime, request, reply) })
  }
  for (const { url, methods } of places.values()) otherMethods(app, url, methods)
}

/** `OPTIONS` says what a URL answers, without a fan-out; any other method is 405. Both before a body is looked at. */
function otherMethods (app: FastifyInstance, url: string, served: readonly string[]): void {
  const methods = [...served.includes('GET') ? ['HEAD'] : [], ...served, 'OPTIONS']
  const allow = methods.join(', ')
  const unreachable = () => { throw new TypeError('answered by its onRequest hook') }
  app.route({
    method: 'OPTIONS',
    url,
    onRequest: (_request, reply) => { reply.code(204).header('allow', allow).send() },
    handler: unreachable,
  })
  app.route({
    method: app.supportedMethods.filter(method => !methods.includes(method)),
    url,
    exposeHeadRoute: false,
    onRequest: (_request, reply, done) => {
      reply.header('allow', allow)
      done(new Problem('METHOD_NOT_ALLOWED', { detail: `This answers ${allow}.` }))
    },
    handler: unreachable,
  })
}
