import { Writable } from 'node:stream'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly from?: string
  readonly to?: string
}

test('each state change of a circuit breaker is logged with its upstream', async t => {
  let isWell = false
  const raw = await rawUpstream(t, socket => socket.write(isWell ? json('well') : json({}, 500)))
  const breaker = { minimumCalls: 1, consecutiveFailures: 1, openDuration: 1 }
  const upstream = defineUpstream(
    'raw',
    { origin: raw.origin, retry: false, breaker },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const changes: Line[] = []
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      const parsed = JSON.parse(line.toString()) as Line
      if (parsed.msg.startsWith('circuit breaker')) changes.push(parsed)
      done()
    },
  })
  const app = buildApp(
    [
      aggregate('asking', { url: '/asking', deadline: 20_000 })
        .required('it', () => upstream.ask())
        .reply(z.unknown(), ({ it }) => it),
    ],
    { logger: { level: 'info', stream } },
  )
  t.teardown(() => app.close())

  t.equal((await app.inject('/asking')).statusCode, 502)
  isWell = true
  for (let request = 0; request < 1000 && changes.at(-1)?.to !== 'closed'; request++) await app.inject('/asking')
  t.match(changes, [
    { level: 40, msg: 'circuit breaker opened', upstream: 'raw', from: 'closed', to: 'open' },
    { level: 30, msg: 'circuit breaker half-open', upstream: 'raw', from: 'open', to: 'half-open' },
    { level: 30, msg: 'circuit breaker closed', upstream: 'raw', from: 'half-open', to: 'closed' },
  ])
})
