import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { handleRequest } from './reply/handle-request.ts'
import type { RouteServices } from './reply/route-services.ts'
import { allowMethods } from './routing/allowed-methods.ts'
import { fastifyPath, pathShape } from './routing/path-template.ts'

/** Adds one route per aggregate, and replies for the other methods at its URL. */
export function aggregateRoutes(
  app: FastifyInstance,
  aggregates: readonly AnyAggregate[],
  services: RouteServices,
): void {
  // By shape, since aggregates may give the parameters of one path different names.
  const paths = new Map<string, { readonly url: string; readonly methods: string[] }>()
  for (const aggregate of aggregates) {
    const { method } = aggregate.route
    const url = fastifyPath(aggregate.route.url)
    const shape = pathShape(aggregate.route.url)
    const known = paths.get(shape)
    if (known === undefined) paths.set(shape, { url, methods: [method] })
    else known.methods.push(method)
    app.route({
      method,
      url,
      exposeHeadRoute: method === 'GET',
      handler: (request, reply) => handleRequest(aggregate, services, request, reply),
    })
  }
  for (const { url, methods } of paths.values()) allowMethods(app, url, methods)
}
