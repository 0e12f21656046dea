import { test, type Test } from 'tap'
import { z } from 'zod'
import type { AppOptions } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { loggerOptions } from '../../../src/http/log/logger-options.ts'
import { Redaction } from '../../../src/log/redaction.ts'
import { logLines } from '../../helpers/log-lines.ts'
import { json, type Script } from '../../helpers/raw-upstream.ts'
import { batchApp, hello, prices } from './helpers/batch-app.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

const broken = aggregate('broken', { url: '/broken', batch: true })
  .required('one', (): number => {
    throw new Error('a bug in a step')
  })
  .reply(z.number(), ({ one }) => one)

/** An app with batches, and the lines of its requests. */
async function arrange(t: Test, { script, ...options }: { readonly script?: Script } & Partial<AppOptions> = {}) {
  const { lines, stream, line } = logLines<Line>()
  const logger = { ...(loggerOptions({ level: 'info', redaction: new Redaction() }) as object), stream }
  const app = await batchApp(t, {
    aggregates: [hello, broken],
    options: { ...options, logger },
    ...(script !== undefined && { script }),
  })
  return { ...app, lines, line: () => line(({ req }) => req !== undefined) }
}

test('the line of a complete batch has the number of its calls, and no id of its caller', async t => {
  const { send, line } = await arrange(t)
  await send(prices(3))
  const logged = await line()
  t.match(logged, {
    level: 30,
    msg: 'request completed',
    req: { method: 'POST', url: '/v1/batch' },
    res: { statusCode: 200 },
    aggregate: 'batch',
    url: '/v1/batch',
    batch: { calls: 3, ok: 3 },
  })
  t.same(Object.keys(logged['batch'] as object), ['calls', 'ok'])
  t.notOk('lost' in logged)
  t.notMatch(JSON.stringify(logged), /p0/)
})

test('the line of a batch with failed calls groups equal failures, with their reason', async t => {
  const { send, line } = await arrange(t, {
    script: (socket, { path }) => socket.write(path === '/prices/3' ? json({ id: 'a', cents: 'many' }) : json({}, 500)),
  })
  const needing = { id: 'last', operation: 'shop.price', input: { id: '9' }, needs: ['p1'] }
  await send({ calls: [...(prices(4) as { readonly calls: readonly object[] }).calls, needing] })
  t.match(await line(), {
    level: 40,
    msg: 'reply is partial',
    batch: {
      calls: 5,
      ok: 0,
      failed: 4,
      notSent: 1,
      codes: { UPSTREAM_STATUS: 3, UPSTREAM_SCHEMA: 1, DEPENDENCY_FAILED: 1 },
    },
    lost: [
      { code: 'UPSTREAM_STATUS', upstream: 'shop', operation: 'price', status: 500, failed: 3 },
      { code: 'UPSTREAM_SCHEMA', upstream: 'shop', operation: 'price', failed: 1, why: /cents/ },
    ],
  })
})

test('the line of a batch whose calls fail because of their caller has the level info', async t => {
  const { send, line } = await arrange(t)
  const calls = [
    { id: 'a', operation: 'shop.price', input: { id: 'longer than twenty characters' } },
    { id: 'b', operation: 'hello', input: { query: { name: { $ref: 'a#/data/id' } } } },
  ]
  const { body } = await send({ calls })
  t.same(body.results.map(({ state }) => state).includes('notSent'), true)
  const logged = await line()
  t.match(logged, { level: 30, msg: 'request completed', batch: { calls: 2, codes: { REFERENCE_INVALID: 1 } } })
  t.notOk('lost' in logged)
})

test('the line of a batch with a bug in an aggregate has its error', async t => {
  const { send, line } = await arrange(t)
  const { body } = await send({ calls: [{ id: 'a', operation: 'broken' }] })
  t.match(body, { results: [{ state: 'failed', status: 500, problem: { code: 'INTERNAL' } }] })
  t.notMatch(JSON.stringify(body), /a bug in a step/)
  t.match(await line(), {
    level: 50,
    msg: 'reply is partial',
    err: { message: 'a bug in a step', stack: String },
    batch: { codes: { INTERNAL: 1 } },
  })
})

test('a refused batch has the line of a refusal', async t => {
  const { send, line } = await arrange(t)
  await send({ calls: [] })
  t.match(await line(), {
    level: 30,
    msg: 'request refused',
    code: 'INPUT_INVALID',
    aggregate: 'batch',
    url: '/v1/batch',
    res: { statusCode: 400 },
  })
})

test('complete batches are sampled as complete runs are, and others are not', async t => {
  const { send, line, lines } = await arrange(t, { logCompletePercent: 0 })
  await send(prices(1))
  await send({ calls: [{ id: 'a', operation: 'broken' }] })
  t.match(await line(), { level: 50 })
  t.equal(lines.filter(({ req }) => req !== undefined).length, 1)
})
