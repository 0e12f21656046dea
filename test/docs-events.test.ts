import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../src/fanout/aggregate.ts'
import type { RunEvent } from '../src/fanout/events.ts'
import { defineUpstream, operation } from '../src/upstream/declare.ts'
import { createRuntime } from '../src/upstream/runtime.ts'
import { tableRows } from './helpers/doc-tables.ts'
import { rules } from './helpers/event-order.ts'
import { httpUpstream } from './helpers/http-upstream.ts'
import { oracleAt } from './helpers/oracle.ts'
import { watched } from './helpers/watched.ts'

const page = readFileSync(new URL('../docs/events.md', import.meta.url), 'utf8')

/** A part of the page, from a heading to the next one. */
function section(heading: string): string {
  const [, part = ''] = page.split(`\n## ${heading}\n`)
  return part.split('\n## ')[0] as string
}

/** Runs an aggregate whose calls wait, join and are not sent again, and returns its events. */
async function eventsOf(t: Parameters<typeof httpUpstream>[0]): Promise<readonly RunEvent[]> {
  const { origin } = await httpUpstream(t, ({ request, json }) => json('well', request.url === '/flaky' ? 503 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(origin, { concurrency: 1 })
  const { shared, flaky } = defineUpstream(
    'joined',
    { origin, retryBudget: { ratio: 0, minPerSecond: 0 } },
    {
      shared: operation({ path: '/shared', output: z.unknown(), coalesce: true }),
      flaky: operation({ path: '/flaky', output: z.unknown() }),
    },
  )
  const described = aggregate('shown', { url: '/shown' })
    .each('all', () => [ask({ id: 'a' }), ask({ id: 'b' }), shared(), shared()])
    .optional('lost', () => flaky(), { fallback: undefined })
    .reply(z.unknown(), ({ all }) => all)
  const { reply, events } = watched(described, { runtime })
  await reply
  return events
}

test('docs/events.md has each event with its fields', async t => {
  const events = await eventsOf(t)
  const common = tableRows(section('Fields of every event')).map(([field = '']) => field)
  const ofSteps = tableRows(section('Fields of events of steps and calls')).map(([field = '']) => field)
  const documented = Object.fromEntries(
    tableRows(section('The events')).map(([type = '', , fields = '']) => [type, fields.split(', ').filter(Boolean)]),
  )
  t.same(Object.keys(documented).sort(), [...new Set(events.map(({ type }) => type))].sort())
  for (const event of events) {
    const fields = [...common, ...('step' in event ? ofSteps : []), ...(documented[event.type] ?? [])]
    t.same(Object.keys(event).sort(), fields.sort(), event.type)
  }
  const run = tableRows(section('The run of an event')).map(([field]) => field)
  t.same(run, Object.keys(events[0]?.run ?? {}))
})

test('docs/events.md has the rules that the property test checks', t => {
  const listed = Array.from(section('The order of events').matchAll(/^- (.+)$/gm), ([, rule]) => rule)
  t.same(listed, Object.values(rules))
  t.end()
})
