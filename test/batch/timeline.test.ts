import { test } from 'tap'
import { offerOf } from '../../src/batch/offer.ts'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { failure } from '../helpers/failure.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { notedTimeline } from '../helpers/noted-timeline.ts'
import { oracle } from '../helpers/oracle.ts'
import { shopAnswer, shopAt } from './shop.ts'
import { started } from './started.ts'

const { offer } = shopAt('http://shop.test')
const item = (id: string, others: object = {}) => ({ id, operation: 'shop.item', input: { id }, ...others })

test('the timeline of a batch receives its plan, its calls as steps, and its end', async t => {
  const timeline = notedTimeline()
  const plans: unknown[] = []
  const runtime = answeringRuntime(path => shopAnswer(path))
  const { reply, events } = started(offer, [item('a'), item('b', { needs: ['a'] })], runtime, {
    timeline: ({ name }, plan) => {
      plans.push([name, ...plan])
      return timeline
    },
  })
  await reply
  t.same(plans, [
    ['batch', { id: 'a', operation: 'shop.item', needs: [] }, { id: 'b', operation: 'shop.item', needs: ['a'] }],
  ])
  t.same(timeline.notes, [
    '0 step started',
    '0.0 sent shop.item /items/a',
    '0 step ended',
    '1 step started',
    '1.0 sent shop.item /items/b',
    '1 step ended',
    'complete 200  of 60000 ms: ',
  ])
  t.equal(events[0]?.run.id, 'the id')
})

test('the timeline of a cancelled batch has the reason', async t => {
  const timeline = notedTimeline()
  const { batch, answer } = started(offer, [item('a')], heldRuntime(), { timeline: () => timeline })
  t.equal(batch.isWatched, true)
  batch.cancel('gone')
  t.equal(await failure(answer), 'gone')
  t.equal(timeline.notes.at(-1), 'cancelled  CANCELLED by gone of 60000 ms: ')
})

test('an aggregate that a batch calls has a timeline of its own', async t => {
  const timeline = notedTimeline()
  const nested = aggregate('nested', { url: '/nested', batch: true })
    .required('first', () => oracle.ask({ id: 'one' }))
    .reply(z.unknown(), () => 1)
  const runtime = answeringRuntime(() => 1)
  const { reply } = started(offerOf([], [nested]), [{ id: 'a', operation: 'nested' }], runtime, {
    timeline: () => timeline,
  })
  await reply
  t.equal(timeline.parts[0]?.id, 'part nested')
  t.match(timeline.parts[0]?.notes, ['0 step started', '0.0 sent oracle.ask /one'])
  t.same(timeline.notes, ['0 step started', '0 step ended', 'complete 200  of 60000 ms: '])
})
