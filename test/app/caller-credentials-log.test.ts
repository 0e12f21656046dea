import { Writable } from 'node:stream'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { until } from '../helpers/until.ts'

const key = 'caller-5ecret-key'

/** Serves a run that ends with what `fail` throws or refuses. Returns the reply and the line of the request. */
async function failing(t: Test, fail: () => unknown, logger: object = { level: 'info' }) {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>)
      done()
    },
  })
  const it = aggregate('it', { url: '/it' }).reply(z.unknown(), fail)
  const app = buildApp([it], { logger: { ...logger, stream } })
  t.teardown(() => app.close())
  const headers = {
    'x-api-key': key,
    authorization: 'Bearer other-5ecret',
    cookie: 'sid=cookie-5ecret',
    'x-user': 'ann',
  }
  const reply = await app.inject({ url: '/it', headers })
  await until(() => lines.some(({ aggregate: name }) => name === 'it'))
  return { reply, line: lines.find(({ aggregate: name }) => name === 'it') as Record<string, unknown> }
}

test('an error of an aggregate shows no credential of the caller in the log', async t => {
  const cause = Object.assign(new TypeError(`bad session cookie-5ecret`), {
    headers: { authorization: 'other-5ecret' },
  })
  const error = Object.assign(new RangeError(`unknown key ${key} of ann`, { cause }), { keys: [{ key }], count: 2 })
  const service = loggerOptions({ level: 'info', redaction: new Redaction() }) as object
  for (const logger of [service, { level: 'info' }]) {
    const { reply, line } = await failing(
      t,
      () => {
        throw error
      },
      logger,
    )
    t.equal(reply.statusCode, 500)
    t.notMatch(reply.body, '5ecret')
    t.notMatch(JSON.stringify(line), '5ecret')
    const { message, stack, type, keys, count } = line['err'] as Readonly<Record<string, unknown>>
    t.equal(message, 'unknown key [redacted] of ann: bad session [redacted]')
    t.match(
      stack,
      /^RangeError: unknown key \[redacted\] of ann\n {4}at .*\ncaused by: TypeError: bad session \[redacted\]/s,
    )
    t.same({ type, keys, count }, { type: 'RangeError', keys: [{ key: '[redacted]' }], count: 2 })
  }
})

test('an error whose text was cut shows no beginning of a credential', async t => {
  const { line } = await failing(t, () => {
    const cause = new Error('b'.repeat(3990) + key)
    throw new Error('a'.repeat(490) + key, { cause })
  })
  t.notMatch(JSON.stringify(line), /caller-[^c]/)
})

test('an error with unusual fields is logged without credentials', async t => {
  const schema = z.object({ key: z.literal('x', { error: ({ input }) => `not ${String(input)}` }) })
  const first = await failing(t, () => schema.parse({ key }))
  t.match(first.line['err'], { type: 'ZodError', message: /not \[redacted\]/ })
  t.notMatch(JSON.stringify(first.line), '5ecret')
  const circular = new Error(key)
  circular.cause = circular
  const many = new AggregateError([circular, new Error(`second ${key}`), key], 'many')
  const second = await failing(t, () => {
    throw many
  })
  t.match(second.line['err'], { type: 'AggregateError', message: 'many' })
  t.notMatch(JSON.stringify(second.line), '5ecret')
  const { line } = await failing(t, () => {
    throw Object.defineProperty(new Error(key), 'own', {
      get: () => {
        throw new Error('unreadable')
      },
    })
  })
  t.notMatch(JSON.stringify(line), '5ecret')
})

test('a thrown value that is not an error shows no credential of the caller in the log', async t => {
  const { line } = await failing(t, () => {
    throw { key, kept: 'text' }
  })
  t.notMatch(JSON.stringify(line), '5ecret')
  t.match(JSON.stringify(line), 'text')
})

test('the detail of a refusal shows no credential of the caller in the log, and the caller gets it whole', async t => {
  for (const status of [404, 499]) {
    const { reply, line } = await failing(t, () => refuse(status, `the key ${key} is unknown`))
    t.equal(reply.json<{ detail: string }>().detail, `the key ${key} is unknown`)
    t.equal(line['detail'], 'the key [redacted] is unknown')
    t.notMatch(JSON.stringify(line), '5ecret')
  }
})

test('an error without a credential of the caller is logged as it is', async t => {
  const { line } = await failing(t, () => {
    throw Object.assign(new Error('no'), { at: new Date(0), code: 'OWN' })
  })
  t.match(line['err'], { type: 'Error', message: 'no', at: '1970-01-01T00:00:00.000Z', code: 'OWN' })
})
