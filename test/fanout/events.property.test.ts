import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { test } from 'tap'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { brokenRules } from '../helpers/event-order.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import {
  answerer,
  unrulyAggregate,
  unrulyOperations,
  unrulyPlan,
  type UnrulyPlan,
} from '../helpers/unruly-aggregate.ts'

test('the events of a run keep the rules of the docs, whatever its upstreams do', async t => {
  const { origin } = await httpUpstream(t, answerer())
  const operations = unrulyOperations(origin)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const seen = new Map<string, number>()
  /** The events of each run, and their number when the run settled. */
  const ended: { readonly events: readonly RunEvent[]; readonly told: number }[] = []
  const published: RunEvent[] = []
  const hear = (event: unknown) => {
    published.push(event as RunEvent)
  }
  subscribe('headwaters:event', hear)
  t.teardown(() => unsubscribe('headwaters:event', hear))

  async function run(plan: UnrulyPlan): Promise<void> {
    const described = unrulyAggregate(plan, operations)
    const events: RunEvent[] = []
    const run = startRun(
      described,
      {},
      {
        runtime,
        onEvent(event) {
          if (events.push(event) === plan.cancelAfter) run.cancel(new Error('gone'))
        },
      },
    )
    await run.start().catch(() => {})
    const told = events.length
    ended.push({ events, told })
    for (const event of events) {
      const kind = event.type === 'call waited' ? `${event.type} ${event.reason}` : event.type
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
    const [first] = events
    const heard = published.filter(event => event.run === first?.run)
    t.ok(heard.length === told && heard.every((event, index) => event === events[index]), 'the channel has the same')
    const broken = brokenRules(described, events, name => name === 'main.shared' || name === 'main.kept')
    if (broken.length > 0)
      throw new Error(
        `${broken.join('\n')}\n${events.map(({ run: _run, ...event }) => JSON.stringify(event)).join('\n')}`,
      )
  }

  await fc.assert(
    fc.asyncProperty(fc.array(unrulyPlan, { minLength: 1, maxLength: 3 }), async plans => {
      await Promise.all(plans.map(run))
      published.length = 0
    }),
    { numRuns: 200 },
  )
  // Ends all calls that have outlived their run.
  await runtime.close()
  t.ok(ended.length > 200, `${ended.length} runs`)
  t.same(
    ended.filter(({ events, told }) => events.length > told),
    [],
    'nothing comes after the end of a run',
  )
  for (const kind of ['attempt started', 'attempt ended', 'call waited permit', 'call waited retry', 'call ended'])
    t.ok((seen.get(kind) ?? 0) > 10, `${kind}: ${seen.get(kind)}`)
})
