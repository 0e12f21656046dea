import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { handleRequest } from './handle-request.ts'
import { allowMethods, type OtherMethods } from './routing/allowed-methods.ts'
import { Dispatcher, type ServedPath } from './routing/dispatcher.ts'
import { fastifyPath, isPlainTemplate, parameterNames, pathShape } from './routing/path-template.ts'
import type { StreamingServices } from './stream/stream-task.ts'

/** Adds one route per aggregate, and replies for the other methods at its URL. */
export function aggregateRoutes(
  app: FastifyInstance,
  aggregates: readonly AnyAggregate[],
  services: StreamingServices,
): void {
  const paths = pathsOf(aggregates)
  const dispatcher = new Dispatcher(app, paths)
  const dispatch = (template: string): OtherMethods => ({
    onRequest: dispatcher.hook(template),
    handler: (request, reply) => handleRequest(dispatcher.targetOf(request), services, request, reply),
  })
  const prefix = app.prefix.endsWith('/') ? app.prefix.slice(0, -1) : app.prefix
  for (const aggregate of aggregates) {
    const { method, url } = aggregate.route
    services.requests.add(aggregate, prefix, fastifyPath(url))
    app.route({
      method,
      url: fastifyPath(url),
      exposeHeadRoute: method === 'GET',
      ...(isPlainTemplate(url)
        ? { handler: (request, reply) => handleRequest(aggregate, services, request, reply) }
        : dispatch(url)),
    })
  }
  for (const path of paths) {
    const { template, targets } = path
    const others = isPlainTemplate(template) ? undefined : dispatch(template)
    path.allow = allowMethods(app, fastifyPath(template), [...targets.keys()], others)
  }
}

/** Returns the paths of aggregates. Aggregates may give the parameters of one path different names. */
function pathsOf(aggregates: readonly AnyAggregate[]): ServedPath<AnyAggregate>[] {
  const paths = new Map<string, ServedPath<AnyAggregate>>()
  for (const aggregate of aggregates) {
    const { method, url: template } = aggregate.route
    const shape = pathShape(template)
    const path = paths.get(shape) ?? { template, targets: new Map(), allow: '' }
    path.targets.set(method, { names: parameterNames(template), target: aggregate })
    paths.set(shape, path)
  }
  return [...paths.values()]
}
