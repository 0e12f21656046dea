import type { z } from 'zod'
import { checkFunction } from '../../../core/option-values.ts'
import { checkZod } from '../../../core/schema/wrapped.ts'
import type { CustomLayer } from '../../spec/layer-types.ts'
import { CustomLayerCall } from './layer-call.ts'

/**
 * Makes a custom layer whose `call.context` has the type of a schema. The context is checked when the layer reads it,
 * for each call. A call of the `context` hook itself, and a call of an aggregate without that hook, has the context
 * `undefined`, which an optional schema accepts.
 *
 * @param schema The schema of the context.
 * @param layer The layer.
 * @returns The layer for `layers.call` of an upstream, an app or a runtime.
 * @throws `TypeError` for a schema that is not a zod schema, and for a layer that is not a function.
 * @example
 * ```ts
 * import { defineUpstream, operation, withContext } from 'headwaters'
 * import { z } from 'zod'
 *
 * const tenant = withContext(z.object({ tenant: z.string() }), next => call =>
 *   next(call.with({ headers: { 'x-tenant': call.context.tenant } })),
 * )
 * const orders = defineUpstream('orders', { origin: 'https://orders.example.com', layers: { call: [tenant] } }, {
 *   latest: operation({ path: '/latest', output: z.array(z.string()) }),
 * })
 * ```
 */
export function withContext<S extends z.ZodType>(schema: S, layer: CustomLayer<z.output<S>>): CustomLayer {
  checkZod('withContext()', { context: schema ?? {} })
  checkFunction('withContext()', 'layer', layer, 'next => call => next(call)')
  const typed: CustomLayer = (next, upstream) => {
    const service = layer(next, upstream)
    if (typeof service !== 'function') return service
    return call => service(CustomLayerCall.withContext(call, schema))
  }
  // The messages about a layer contain its name.
  return Object.defineProperty(typed, 'name', { value: layer.name })
}
