import { test } from 'tap'
import { z } from 'zod'
import { Explainer } from '../../src/explain/explainer.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'

test('the ninth explanation that waits is refused, and the others are made', async t => {
  const slow = aggregate('slow', { url: '/slow' })
    .required('it', () => Promise.resolve(1))
    .reply(z.unknown(), () => 1)
  const explainer = new Explainer([slow], { overrides: {}, variableOf: () => undefined })
  const asked = Array.from({ length: 9 }, () => explainer.explain('slow', { input: {} }))
  const [refused] = (await Promise.allSettled(asked)).slice(8)
  t.match(refused, { status: 'rejected', reason: { code: 'OVERLOADED', retryAfterSeconds: 1 } })
  t.match(
    await Promise.all(asked.slice(0, 8)),
    Array.from({ length: 8 }, () => ({ aggregate: 'slow' })),
  )
  t.match(await explainer.explain('slow', { input: {} }), { aggregate: 'slow' })
})

test('a fault of one explanation does not stop the next one', async t => {
  const strict = aggregate('strict', { url: '/strict', query: z.object({ n: z.coerce.number() }) })
    .required('it', () => 1)
    .reply(z.unknown(), () => 1)
  const explainer = new Explainer([strict], { overrides: {}, variableOf: () => undefined })
  await t.rejects(explainer.explain('strict', { input: { query: { n: 'x' } } }), { code: 'INPUT_INVALID' })
  t.match(await explainer.explain('strict', { input: {} }), { aggregate: 'strict' })
})
