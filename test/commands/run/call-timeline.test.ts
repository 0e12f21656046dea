import { test } from 'tap'
import { z } from 'zod'
import { applyEvent, createRunView, timelineOf } from '../../../src/commands/run/run-view.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { startRun } from '../../../src/fanout/fan-out.ts'
import { KeptRuns } from '../../../src/kept/kept-runs.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { lookOf } from '../../../src/waterfall/bars.ts'
import { rowsOf } from '../../../src/waterfall/timeline-rows.ts'
import { timelineOf as timelineOfKept, type Timeline } from '../../../src/waterfall/timeline.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

const times = (count: number) => Array.from({ length: count }, (_, index) => index)
const one = (path: `/${string}`, coalesce = false) => ({ it: operation({ path, output: z.number(), coalesce }) })

test('the bars of the terminal are those of the kept run', async t => {
  const asked = new Map<string, number>()
  const { origin } = await rawUpstream(t, (socket, { path }) => {
    const count = (asked.get(path) ?? 0) + 1
    asked.set(path, count)
    if (path === '/never' || (path === '/slow' && count === 1)) return
    setTimeout(() => socket.write(json(1, path === '/busy' && count === 1 ? 503 : 200)), 30)
  })
  const hedged = defineUpstream('hedged', { origin, hedge: { delay: 30, maxRatio: 1 } }, one('/slow'))
  const busy = defineUpstream('busy', { origin, retry: { maxAttempts: 2 } }, one('/busy'))
  const narrow = defineUpstream('narrow', { origin, concurrency: 1 }, one('/plain'))
  const shared = defineUpstream('shared', { origin }, one('/shared', true))
  const dead = defineUpstream('dead', { origin, retry: false, attemptTimeout: 60_000 }, one('/never'))
  const mixed = aggregate('mixed', { url: '/mixed', deadline: 400 })
    .optional('slow', () => hedged.it(), { fallback: null })
    .optional('again', () => busy.it(), { fallback: null })
    .each('queued', () => times(3).map(() => narrow.it()))
    .each('alike', () => times(2).map(() => shared.it()))
    .firstOf('fastest', () => [narrow.it(), dead.it()], { needs: ['queued'] })
    .optional('never', () => dead.it(), { fallback: null })
    .reply(z.unknown(), () => 1)

  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const kept = new KeptRuns({ limit: 1, hide: text => text })
  const timeline = kept.start(mixed, { requestId: undefined, traceId: undefined, method: 'GET', target: '/mixed' })
  const view = createRunView(mixed)
  await startRun(mixed, {}, { runtime, timeline, onEvent: event => applyEvent(view, event) }).start()
  const run = kept.find(timeline.id)
  if (run === undefined) throw new Error('the run is not kept')

  const barsOf = (shown: Timeline) =>
    rowsOf(shown).map(({ bars }) => bars.map(bar => ({ look: lookOf(bar), from: bar.from, to: bar.to })))
  const ofTerminal = barsOf(timelineOf(view, Infinity))
  const ofPage = barsOf(timelineOfKept(run))
  const looksOf = (rows: typeof ofPage) => rows.map(bars => bars.map(({ look }) => look).filter(look => look !== 'own'))
  t.same(looksOf(ofTerminal), looksOf(ofPage))
  t.same(
    looksOf(ofPage).map(looks => [...new Set(looks)]),
    [
      ['outrun', 'hedge'],
      ['wait', 'failed', 'answered'],
      ['wait', 'answered'],
      ['wait', 'answered'],
      ['cancelled', 'answered'],
      ['failed'],
    ],
  )
  for (const [index, bars] of ofPage.entries())
    for (const [place, { look, from, to }] of bars.entries()) {
      const other = ofTerminal[index]?.[place]
      // The times of a kept run are rounded to a tenth of a millisecond; the outcome is measured after the event.
      t.ok(Math.abs((other?.from ?? NaN) - from) < 1, `${look} begins at ${from}: ${other?.from}`)
      t.ok(Math.abs((other?.to ?? NaN) - to) < 1, `${look} ends at ${to}: ${other?.to}`)
    }
})
