import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../../src/fanout/events.ts'
import * as families from '../../../src/metrics/families.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { logLines } from '../../helpers/log-lines.ts'
import { countsOf, valuesOf } from '../../helpers/metric-values.ts'
import { serve } from './helpers/serve.ts'
import { planOf, streamed } from './helpers/streamed.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly stream?: string
  readonly reqId: string
}

async function logged(t: Parameters<typeof httpUpstream>[0] & Parameters<typeof serve>[0]) {
  const { origin } = await httpUpstream(t, ({ request, json }) => json('a', Number(request.url?.slice(1))))
  const one = operation({ path: '/{status}', params: z.object({ status: z.string() }), output: z.string() })
  const up = defineUpstream('up', { origin, retry: false }, { one })
  const described = aggregate('one', { url: '/one/{status}', params: z.object({ status: z.string() }) })
    .context(({ params }) => {
      if (params.status === '0') throw new Error('bug')
      return {}
    })
    .required('step', ({ params }) => up.one(params))
    .reply(z.string(), ({ step }) => step)
  const runtime = createRuntime()
  const events: RunEvent[] = []
  const log = logLines<Line>()
  const served = await serve(t, [described], {
    runtime,
    logger: { level: 'info', stream: log.stream },
    onEvent: event => void events.push(event),
  })
  return { ...served, runtime, events, log }
}

test('the line of a stream names its form, and has the level and the fields of its outcome', async t => {
  const { origin, ask, log } = await logged(t)
  const lineOf = (id: string) => log.line(({ reqId, msg }) => reqId === id && msg !== 'incoming request')
  const ndjson = { accept: 'application/jsonl' }
  await streamed(`${origin}/one/200`, { headers: { ...ndjson, 'x-request-id': 'whole' } })
  t.match(await lineOf('whole'), {
    level: 30,
    msg: 'request completed',
    stream: 'ndjson',
    res: { statusCode: 200 },
    aggregate: 'one',
    sources: { step: { state: 'ok' } },
  })
  await ask('/one/500', { headers: { accept: 'text/event-stream', 'x-request-id': 'failed' } })
  t.match(await lineOf('failed'), {
    level: 40,
    msg: 'request failed',
    stream: 'sse',
    res: { statusCode: 200 },
    code: 'UPSTREAM_STATUS',
    upstream: 'up',
    step: 'step',
  })
  await ask('/one/0', { headers: { accept: 'text/event-stream', 'x-request-id': 'early' } })
  const early = await lineOf('early')
  t.match(early, { level: 50, msg: 'request failed: internal error', res: { statusCode: 500 } })
  t.notOk('stream' in early, 'a failure before the plan has a plain reply')
  await ask('/one/200', { headers: { 'x-request-id': 'plain' } })
  t.notOk('stream' in (await lineOf('plain')))
  await ask('/one/200', { method: 'HEAD', headers: { accept: 'text/event-stream', 'x-request-id': 'head' } })
  t.match(await lineOf('head'), { level: 30, msg: 'request completed', stream: 'sse', aggregate: 'one' })
})

test('the metrics count streams by form and end, and their requests as 200', async t => {
  const { origin, ask, runtime } = await logged(t)
  await streamed(`${origin}/one/200`)
  await streamed(`${origin}/one/500`)
  await ask('/one/200', { headers: { accept: 'text/event-stream' } })
  await ask('/one/0', { headers: { accept: 'text/event-stream' } })
  await ask('/one/200', { method: 'HEAD', headers: { accept: 'text/event-stream' } })
  await ask('/one/200')
  t.same(valuesOf(runtime, families.streams), { 'ndjson reply': 1, 'ndjson problem': 1, 'sse reply': 1 })
  t.same(valuesOf(runtime, families.openStreams), { '': 0 })
  t.match(countsOf(runtime, families.serverDuration), {
    'GET http /one/{status} 200 - one': 4,
    'GET http /one/{status} 500 500 one': 1,
    'HEAD http /one/{status} 200 - one': 1,
  })
  t.match(valuesOf(runtime, families.runs), { 'one complete -': 3, 'one failed UPSTREAM_STATUS': 1 })
})

test('the run of a plan is the run of the events of the runtime', async t => {
  const { origin, events } = await logged(t)
  const { run } = planOf(await streamed(`${origin}/one/200`))
  t.ok(events.length > 3)
  for (const event of events) t.equal(event.run.id, run)
})
