import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { withContext } from '../../../../src/upstream/policies/custom/with-context.ts'
import { createRuntime, type RuntimeOptions } from '../../../../src/upstream/runtime.ts'
import type { CustomLayer } from '../../../../src/upstream/spec/layer-types.ts'
import type { Layers } from '../../../../src/upstream/spec/layers.ts'
import { failure } from '../../../helpers/failure.ts'
import { json, rawUpstream } from '../../../helpers/raw-upstream.ts'

const Tenant = z.object({ tenant: z.string() })

const sendTenant: CustomLayer<z.output<typeof Tenant>> = next => call =>
  next(call.with({ headers: { 'x-a': '1' } }).with({ headers: { 'x-tenant': call.context.tenant } }))

/** An aggregate that calls an upstream with layers; `context` is its context. */
async function arrange(t: Test, layers: Layers, context?: unknown, options: RuntimeOptions = {}) {
  const raw = await rawUpstream(t, json('well'))
  const shop = defineUpstream(
    'shop',
    { origin: raw.origin, retry: false, layers },
    { price: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  const route = aggregate('priced', { url: '/' })
  const reply = z.object({ price: z.unknown() })
  const priced =
    context === undefined
      ? route.required('price', () => shop.price()).reply(reply, ({ price }) => ({ price }))
      : route
          .context(() => context)
          .required('price', () => shop.price())
          .reply(reply, ({ price }) => ({ price }))
  return {
    run: () => fanOut(priced, {}, { runtime }),
    tenants: () => raw.requests.map(request => new Map(request.headers).get('x-tenant')),
  }
}

test('a layer reads the context of its aggregate with the type of its schema', async t => {
  const { run, tenants } = await arrange(t, { call: [withContext(Tenant, sendTenant)] }, { tenant: 'acme', more: 1 })
  t.match(await run(), { data: { price: 'well' } })
  t.same(tenants(), ['acme'])
})

test('a layer gets the output of the schema, also from the result of with()', async t => {
  const schema = Tenant.transform(({ tenant }) => tenant.toUpperCase())
  const seen: unknown[] = []
  const reading = withContext(schema, next => call => {
    const changed = call.with({ headers: { 'x-a': '1' } })
    seen.push(call.context, changed.context)
    return next(changed)
  })
  const { run } = await arrange(t, { call: [reading] }, { tenant: 'acme' })
  await run()
  t.same(seen, ['ACME', 'ACME'])
})

test('a context that the schema refuses is a bug, whose message names the layer, the place and the fix', async t => {
  for (const [context, place] of [
    [{ tenant: 1 }, ', at /tenant: '],
    [undefined, ': '],
  ] as const) {
    const { run, tenants } = await arrange(t, { call: [withContext(Tenant, sendTenant)] }, context)
    const { cause } = (await failure(run())) as Error
    const { message } = cause as Error
    t.ok(
      message.startsWith(`shop.price: the layer 'sendTenant' of layers.call cannot read its context${place}`),
      message,
    )
    t.match(message, /return it from context\(\) of the aggregate, or give withContext\(\) a schema that allows/)
    t.same(tenants(), [])
  }
})

test('an optional schema accepts a call without a context', async t => {
  const optional = withContext(Tenant.optional(), next => call => {
    const { context } = call
    return next(context === undefined ? call : call.with({ headers: { 'x-tenant': context.tenant } }))
  })
  const without = await arrange(t, {}, undefined, { layers: { call: [optional] } })
  await without.run()
  t.same(without.tenants(), [undefined])
  const withOne = await arrange(t, {}, { tenant: 'acme' }, { layers: { call: [optional] } })
  await withOne.run()
  t.same(withOne.tenants(), ['acme'])
})

test('a layer that does not read its context needs none', async t => {
  const { run, tenants } = await arrange(t, { call: [withContext(Tenant, next => call => next(call))] })
  await run()
  t.same(tenants(), [undefined])
})

test('an attempt has no context for a layer with a schema either', async t => {
  const { run } = await arrange(t, { attempt: [withContext(Tenant, sendTenant)] }, { tenant: 'acme' })
  t.match(await failure(run()), {
    code: 'INTERNAL',
    cause: { message: /an attempt has no context.*list the layer in layers\.call/ },
  })
})

test('the layers around a layer with a schema get the context unchanged', async t => {
  const seen: unknown[] = []
  const outer: CustomLayer = next => call => {
    seen.push(call.context)
    return next(call)
  }
  const layers = { call: [outer, withContext(Tenant, sendTenant), outer] }
  const { run } = await arrange(t, layers, { tenant: 'acme', more: 1 })
  await run()
  t.same(seen, [
    { tenant: 'acme', more: 1 },
    { tenant: 'acme', more: 1 },
  ])
})

test('a wrong argument of withContext is refused, and so is a layer that returns no function', async t => {
  t.throws(() => withContext({} as never, sendTenant), {
    name: 'TypeError',
    message: /^withContext\(\): its context schema is not a zod 4 schema/,
  })
  t.throws(() => withContext(undefined as never, sendTenant), { message: /is not a zod 4 schema/ })
  t.throws(() => withContext(Tenant, undefined as never), {
    name: 'TypeError',
    message: /^withContext\(\): layer is missing: it must be a function such as next => call => next\(call\)/,
  })
  const { run } = await arrange(t, { call: [withContext(Tenant, (() => undefined) as never)] }, { tenant: 'acme' })
  t.match(await failure(run()), { cause: { message: /a custom layer must return a function of a call/ } })
})
