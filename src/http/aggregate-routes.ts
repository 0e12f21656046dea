import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { handleRequest, type RouteServices } from './reply/reply-task.ts'
import { fastifyPath } from './routing/path-template.ts'
import { allowMethods } from './routing/allowed-methods.ts'

/** Gives each aggregate its route; other methods at its URL are told what it answers. */
export function aggregateRoutes(
  app: FastifyInstance,
  aggregates: readonly AnyAggregate[],
  serving: RouteServices,
): void {
  const places = new Map<string, { readonly url: string; readonly methods: string[] }>()
  for (const aggregate of aggregates) {
    const { method } = aggregate.route
    const url = fastifyPath(aggregate.route.url)
    // One place, whatever each aggregate calls its parameters.
    const place = aggregate.route.url.replaceAll(/\{[^{}]*\}/g, ':')
    const known = places.get(place)
    if (known === undefined) places.set(place, { url, methods: [method] })
    else known.methods.push(method)
    app.route({
      method,
      url,
      exposeHeadRoute: method === 'GET',
      handler: (request, reply) => handleRequest(aggregate, serving, request, reply),
    })
  }
  for (const { url, methods } of places.values()) allowMethods(app, url, methods)
}
