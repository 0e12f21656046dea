import { test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { Catalogue } from '../../../src/definitions/catalogue.ts'
import { Answers } from '../../../src/server/cluster/answers.ts'
import type { FromWorker } from '../../../src/server/cluster/messages.ts'
import { readReloadAnswer, type ReloadStep } from '../../../src/server/cluster/reload-messages.ts'
import { WorkerReload } from '../../../src/server/cluster/worker-reload.ts'

/** Definitions that a number names. */
function catalogueOf(time: number): Catalogue {
  return { time, aggregates: [], specs: [], overrides: {}, evaluated: [`${time}.ts`] } as unknown as Catalogue
}

/** The reloads of a worker whose apps are numbers. */
function arrange(load: (time: number) => Promise<unknown> = async () => {}) {
  const swapped: number[] = []
  const closed: number[] = []
  let loads = 0
  const reload = new WorkerReload({
    catalogue: catalogueOf(0),
    files: () => ({ listed: '', stamps: [] }),
    reload: async () => {
      const time = ++loads
      await load(time)
      return catalogueOf(time)
    },
    build: async catalogue => {
      const { time } = catalogue as unknown as { readonly time: number }
      return { time, close: async () => closed.push(time) } as unknown as FastifyInstance
    },
    listener: { swap: (app: FastifyInstance) => swapped.push((app as unknown as { time: number }).time) } as never,
    onSwapped() {},
  })
  const sent: FromWorker[] = []
  const answers = new Answers(message => sent.push(message))
  reload.answer(answers)
  let id = 0
  const answerOf = async (text: ReloadStep) => {
    const own = id++
    await answers.handle({ kind: 'ask', id: own, topic: 'reload', text: JSON.stringify(text) })
    const answer = sent.find(message => message.kind === 'answered' && message.id === own)
    return answer?.kind === 'answered' ? readReloadAnswer(answer.text) : undefined
  }
  const step = async (text: ReloadStep) => (await answerOf(text))?.faults
  return { reload, step, answerOf, swapped, closed }
}

test('definitions that are prepared serve after the commit', async t => {
  const { reload, step, swapped, closed } = arrange()
  t.same(await step({ step: 'prepare' }), [])
  t.same(swapped, [])
  await step({ step: 'refused', refused: { at: '2026-11-30T10:00:00.000Z', faults: 2 } })
  t.match(reload.definitions, { loadedAt: String, refused: { faults: 2 } })
  t.same(await step({ step: 'commit' }), [])
  t.same(swapped, [1])
  t.equal(reload.definitions.refused, undefined)
  t.same(closed, [])
})

test('definitions that are dropped, or prepared again, are closed', async t => {
  const { step, swapped, closed } = arrange()
  await step({ step: 'prepare' })
  t.same(await step({ step: 'drop' }), [])
  t.same(closed, [1])
  await step({ step: 'prepare' })
  await step({ step: 'prepare' })
  t.same(closed, [1, 2])
  await step({ step: 'commit' })
  t.same(swapped, [3])
})

test('a commit waits for the definitions that are still prepared, and needs some', async t => {
  const loaded = Promise.withResolvers<void>()
  const { step, swapped } = arrange(async time => {
    if (time === 1) await loaded.promise
    else throw new Error('a.ts: is wrong\nb.ts: is wrong')
  })
  const steps = [step({ step: 'prepare' }), step({ step: 'commit' })]
  loaded.resolve()
  t.same(await Promise.all(steps), [[], []])
  t.same(swapped, [1])
  t.same(await step({ step: 'prepare' }), ['a.ts: is wrong', 'b.ts: is wrong'])
  t.same(await step({ step: 'commit' }), ['the worker has no definitions that it can serve'])
})

test('a worker describes what it has loaded, and the state of the files also after a fault', async t => {
  const { answerOf } = arrange(async time => {
    if (time === 2) throw new Error('a.ts: is wrong')
  })
  const loaded = (file: string) => ({
    faults: [],
    loaded: { aggregates: [], evaluated: [file], watched: { upstreams: [], aggregates: [] } },
    files: { listed: '', stamps: [] },
  })
  t.same(await answerOf({ step: 'describe' }), loaded('0.ts'))
  t.same(await answerOf({ step: 'prepare' }), loaded('1.ts'))
  t.same(await answerOf({ step: 'describe' }), loaded('0.ts'), 'it serves the new definitions after the commit only')
  await answerOf({ step: 'commit' })
  t.same(await answerOf({ step: 'describe' }), loaded('1.ts'))
  t.same(await answerOf({ step: 'prepare' }), {
    faults: ['a.ts: is wrong'],
    loaded: undefined,
    files: { listed: '', stamps: [] },
  })
})
