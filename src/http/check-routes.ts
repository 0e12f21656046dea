import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { registeredUrl } from './routing/allowed-methods.ts'
import { comparedSegments, routerOptionsOf } from './routing/match-path.ts'
import { fastifyPath, isPlainTemplate, routerKey, segmentsOf, shapeOf } from './routing/path-template.ts'

/** Rejects aggregates that cannot be served. Fastify's own errors would name neither the aggregate nor the fix. */
export function checkRoutes(app: FastifyInstance, aggregates: readonly AnyAggregate[]): void {
  const options = routerOptionsOf(app)
  const prefix = app.prefix.replace(/\/$/, '')
  const taken = new Map<string, { readonly name: string; readonly template: string }>()
  const routes = new Map<string, { readonly name: string; readonly template: string; readonly shape: string }>()
  for (const { name, route } of aggregates) {
    const { method, url: template } = route
    const url = prefix + fastifyPath(template)
    const shown = isPlainTemplate(template) ? url : prefix + template
    const segments = comparedSegments(segmentsOf(template), options)
    const ownShape = shapeOf(segments)
    const shape = `${method} ${ownShape}`
    const other = taken.get(shape)
    if (other?.template === template)
      throw new TypeError(
        `headwaters: the aggregates '${other.name}' and '${name}' are both ${method} ${shown}: change the url of one`,
      )
    if (other !== undefined)
      throw new TypeError(
        `headwaters: the aggregates '${other.name}' (${other.template}) and '${name}' (${template}) ` +
          `match the same ${method} requests: change the url of one`,
      )
    const key = routerKey(segments)
    const alike = routes.get(key) ?? { name, template, shape: ownShape }
    if (alike.shape !== ownShape)
      throw new TypeError(
        `headwaters: the router cannot distinguish the urls of the aggregates '${alike.name}' ` +
          `(${alike.template}) and '${name}' (${template}): change the url of one`,
      )
    routes.set(key, alike)
    if (app.hasRoute({ method, url: registeredUrl(app, url) }))
      throw new TypeError(
        `headwaters: ${method} ${shown} (aggregate '${name}') is already a route of ` +
          'this app: register the aggregate once, or under another prefix',
      )
    taken.set(shape, { name, template })
  }
}
